#include "common/bytes.h"

#include <gtest/gtest.h>

#include "tests/support/support.h"

namespace lekt {
namespace {

using test::hex;

TEST(Bytes, padding_fills_up_to_a_multiple_of_four) {
  EXPECT_EQ(padding_of(0), 0u);
  EXPECT_EQ(padding_of(1), 3u);
  EXPECT_EQ(padding_of(2), 2u);
  EXPECT_EQ(padding_of(3), 1u);
  EXPECT_EQ(padding_of(4), 0u);
  EXPECT_EQ(padded(0), 0u);
  EXPECT_EQ(padded(5), 8u);
  EXPECT_EQ(padded(8), 8u);
}

TEST(ByteReader, reads_integers_big_endian) {
  const Bytes bytes = hex("01 020304 05060708 090a0b0c0d0e0f10 fffffffffffffffe 1112 fffffffd");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01u);
  EXPECT_EQ(reader.u24(), 0x020304u);
  EXPECT_EQ(reader.u32(), 0x05060708u);
  EXPECT_EQ(reader.u64(), 0x090a0b0c0d0e0f10u);
  EXPECT_EQ(reader.i64(), -2);
  EXPECT_EQ(reader.u16(), 0x1112u);
  EXPECT_EQ(reader.i32(), -3);
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_FALSE(reader.ran_short());
}

TEST(ByteReader, reads_bytes_above_0x7f_as_unsigned) {
  const Bytes bytes = hex("ff 80ff80 ff00ff80");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u8(), 0xffu);
  EXPECT_EQ(reader.u24(), 0x80ff80u);
  EXPECT_EQ(reader.u32(), 0xff00ff80u);
}

TEST(ByteReader, remembers_that_it_ran_short) {
  const Bytes bytes = hex("010203");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_TRUE(reader.ran_short());
  EXPECT_EQ(reader.u8(), 0u) << "once short, always short: the fields after a missing one are missing too";
  EXPECT_EQ(reader.take(1), "");
  EXPECT_EQ(reader.consumed(), 0u);
}

TEST(ByteReader, takes_views_into_the_input) {
  const Bytes bytes = hex("0102030405");
  ByteReader reader(bytes);
  reader.u8();
  const ByteView taken = reader.take(3);
  EXPECT_EQ(taken, hex("020304"));
  EXPECT_EQ(taken.data(), bytes.data() + 1);
  EXPECT_EQ(reader.consumed(), 4u);
  EXPECT_EQ(reader.left(), 1u);
}

TEST(ByteReader, refuses_a_size_near_the_largest_without_wrapping_around) {
  const Bytes bytes = hex("01020304");
  ByteReader reader(bytes);
  reader.u8();
  EXPECT_EQ(reader.take(SIZE_MAX), "");
  EXPECT_TRUE(reader.ran_short());
  EXPECT_EQ(reader.consumed(), 1u);
}

TEST(ByteReader, takes_nothing_from_nothing) {
  ByteReader reader{ByteView{}};
  EXPECT_EQ(reader.take(0), "");
  EXPECT_FALSE(reader.ran_short());
  reader.u8();
  EXPECT_TRUE(reader.ran_short());
}

TEST(ByteWriter, writes_what_the_reader_reads) {
  Bytes bytes = "before";
  ByteWriter writer(bytes);
  writer.u8(0x01);
  writer.u24(0xff020304);
  writer.u32(0x05060708);
  writer.u64(0x090a0b0c0d0e0f10);
  writer.i64(-2);
  writer.u16(0x1112);
  writer.i32(-3);
  writer.bytes("xy");
  writer.zeros(2);
  EXPECT_EQ(bytes,
            "before" + hex("01 020304 05060708 090a0b0c0d0e0f10 fffffffffffffffe 1112 fffffffd 7879 0000"))
      << "it appends, and of 24 bits the lower ones count";
}

}  // namespace
}  // namespace lekt
