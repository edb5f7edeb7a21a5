#include "storage/record.h"

#include <gtest/gtest.h>

namespace lekt::storage {

namespace {

TEST(Record, is_empty_for_a_client_that_nobody_can_connect_to) {
  EXPECT_EQ(encode_record({}), "");
  EXPECT_EQ(decode_record(""), Methods{});
}

TEST(Record, has_these_bytes_forever) {
  const Methods methods = {{1, tcp_information(7890)}};
  const Bytes bytes("\x0a\x08\x08\x01\x12\x04\x00\x00\x1e\xd2", 10);
  EXPECT_EQ(encode_record(methods), bytes);
  EXPECT_EQ(decode_record(bytes), methods);
}

TEST(Record, is_refused_when_it_is_cut_short) {
  const Bytes bytes = encode_record({{1, tcp_information(7890)}});
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_record(bytes.substr(0, size))) << size;
}

TEST(Record, is_refused_when_no_server_can_have_made_it) {
  EXPECT_FALSE(decode_record(encode_record({{2, ""}, {1, tcp_information(1)}}))) << "order";
  EXPECT_FALSE(decode_record(encode_record({{2, ""}, {2, ""}}))) << "duplicate";
  EXPECT_FALSE(decode_record(encode_record({{0, ""}}))) << "index 0 ends the setup";
  EXPECT_FALSE(decode_record(encode_record({{2, "abc"}}))) << "alignment";
}

}  // namespace

}  // namespace lekt::storage
