#include "server/net/published_view.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/core/support.h"

namespace lekt::test {
namespace {

TEST(PublishedView, is_seen_by_whoever_looks_after_it_was_published) {
  History history;
  PublishedView published(history.view());
  PublishedView::Reader reader(published);
  history.at(1001).add("10.0.0.1");
  const auto newer = history.view();
  published.publish(newer);
  EXPECT_NE(reader.view(), newer) << "a view stays until its reader asks for a newer one";
  reader.refresh();
  EXPECT_EQ(reader.view(), newer);
}

TEST(PublishedView, is_given_to_a_reader_that_begins_later) {
  History history;
  PublishedView published(history.view());
  history.at(1001).add("10.0.0.1");
  const auto newer = history.view();
  published.publish(newer);
  EXPECT_EQ(PublishedView::Reader(published).view(), newer);
}

TEST(PublishedView, lives_as_long_as_somebody_reads_it_and_no_longer) {
  History history;
  std::weak_ptr<const ChangeView> first;
  PublishedView published([&] {
    auto view = history.view();
    first = view;
    return view;
  }());
  PublishedView::Reader reader(published);
  published.publish(history.at(1001).add("10.0.0.1").view());
  EXPECT_FALSE(first.expired());
  reader.refresh();
  EXPECT_TRUE(first.expired());
}

TEST(PublishedView, never_goes_back_for_a_reader_and_is_never_older_than_what_was_announced) {
  constexpr std::uint64_t last = 2000;
  History history;
  PublishedView published(history.view());
  std::atomic<std::uint64_t> announced{0};
  const auto read = [&] {
    PublishedView::Reader reader(published);
    std::uint64_t before = 0;
    while (before < last) {
      const std::uint64_t at_least = announced.load(std::memory_order_acquire);
      reader.refresh();
      const std::uint64_t seen = reader.view()->newest_sequence();
      ASSERT_GE(seen, at_least);
      ASSERT_GE(seen, before);
      before = seen;
    }
  };
  std::vector<std::thread> readers;
  for (int index = 0; index < 3; ++index) readers.emplace_back(read);
  for (std::uint64_t sequence = 1; sequence <= last; ++sequence) {
    published.publish(history.add(numbered(static_cast<std::uint32_t>(sequence % 50)), Methods()).view());
    announced.store(history.sequence(), std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace lekt::test
