// Every fuzzer on its seed corpus, and on some thousand random changes of it. libFuzzer searches longer and
// better; this sees to it that the fuzzers work, and that what they have found stays fixed.
#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/fuzzers.h"
#include "tests/support/paths.h"
#include "tests/support/support.h"

namespace lekt::fuzz {
namespace {

constexpr std::size_t input_bytes_max = 4096;

class EveryFuzzer : public testing::TestWithParam<Fuzzer> {
 protected:
  static std::vector<Seed> corpus() {
    return read_corpus(std::filesystem::path(test::source_file("tests/fuzz/corpus")) / GetParam().name);
  }

  /// On a copy that ends where its memory ends, so that a sanitizer sees every read beyond it.
  static void expect_kept(const std::string& name, ByteView input) {
    const std::vector<char> copy(input.begin(), input.end());
    EXPECT_NO_THROW(GetParam().run({copy.data(), copy.size()})) << name << ": " << to_hex(input);
  }
};

/// One random change of the kinds that find mistakes in readers of packets.
void change(Bytes& input, const std::vector<Seed>& corpus, test::Random& random) {
  const std::size_t place = random.below(input.size() + 1);
  const std::size_t length = random.below(9);
  switch (random.below(6)) {
    case 0:
      if (place < input.size()) input[place] = static_cast<char>(random.next());
      break;
    case 1:
      if (place < input.size()) input[place] = static_cast<char>(input[place] ^ 1 << random.below(8));
      break;
    case 2:
      input.insert(place, random.bytes(length));
      break;
    case 3:
      input.erase(place, length);
      break;
    case 4:
      input.resize(place);
      break;
    default: {
      const Bytes& other = random.pick(corpus).bytes;
      input.insert(place, other.substr(random.below(other.size() + 1)));
    }
  }
  if (input.size() > input_bytes_max) input.resize(input_bytes_max);
}

TEST_P(EveryFuzzer, has_a_corpus_and_keeps_its_promises_on_it) {
  const auto seeds = corpus();
  EXPECT_GE(seeds.size(), 5u);
  for (const Seed& seed : seeds) expect_kept(seed.name, seed.bytes);
}

TEST_P(EveryFuzzer, keeps_its_promises_on_what_long_searches_have_found) {
  const std::string name(GetParam().name);
  for (const Seed& seed : read_found(test::source_file("tests/fuzz/found/") + name + ".hex"))
    expect_kept(seed.name, seed.bytes);
}

TEST_P(EveryFuzzer, keeps_its_promises_on_nothing) { expect_kept("nothing", ""); }

TEST_P(EveryFuzzer, keeps_its_promises_on_every_prefix_of_its_corpus) {
  for (const Seed& seed : corpus())
    for (std::size_t size = 0; size < seed.bytes.size(); ++size)
      expect_kept(seed.name, ByteView(seed.bytes).substr(0, size));
}

TEST_P(EveryFuzzer, keeps_its_promises_on_random_changes) {
  test::Random random;
  const auto seeds = corpus();
  const int rounds = GetParam().changes / (test::sanitized ? 5 : 1);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Bytes input = random.pick(seeds).bytes;
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) change(input, seeds, random);
    expect_kept("round " + std::to_string(round), input);
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, EveryFuzzer, testing::ValuesIn(fuzzers),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace lekt::fuzz
