#include "common/annotate_datagram.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <variant>

#include "common/annotated_lines.h"
#include "common/datagram_fields.h"
#include "common/device_items.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/utf8.h"

namespace lekt {

namespace {

std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

struct NamedBit {
  std::uint8_t bit;
  std::string_view name;
};

constexpr std::array style_bits = {
    NamedBit{style::bold, "bold"},     NamedBit{style::underline, "underline"},
    NamedBit{style::blink, "blink"},   NamedBit{style::reverse, "reverse"},
    NamedBit{style::italic, "italic"},
};

constexpr std::array modifier_bits = {
    NamedBit{modifiers::shift, "shift"},
    NamedBit{modifiers::alt, "alt"},
    NamedBit{modifiers::control, "ctrl"},
};

/// The io of an item's fields that puts them into words: "text: row 2, column 0, "1 wms"".
class ItemDescriber {
 public:
  void u8(std::string_view name, std::uint8_t value) { add(std::string(name) + " " + std::to_string(value)); }
  void extent(std::string_view name, std::uint8_t value) { u8(name, value); }
  void style_flags(std::string_view, std::uint8_t flags) {
    if (flags == 0) add("plain");
    add_bits(style_bits, flags);
  }
  void colour(std::string_view name, std::uint8_t value, bool holds) {
    if (holds) u8(name, value);
  }
  void yes_or_no(std::string_view name, bool value) { add((value ? "" : "not ") + std::string(name)); }
  void key(std::string_view, Key key) { add(key_name(key)); }
  void modifiers(std::string_view, std::uint8_t bits, int) { add_bits(modifier_bits, bits); }
  void character(std::string_view, char32_t value) {
    std::string text;
    append_character(text, value);
    add(quoted(text));
  }
  void text(std::string_view, std::string_view text) { add(quoted(text)); }

  const std::string& words() const { return words_; }

 private:
  void add(const std::string& word) { words_ += (words_.empty() ? ": " : ", ") + word; }
  void add_bits(std::span<const NamedBit> names, std::uint8_t bits) {
    for (const auto& [bit, name] : names)
      if ((bits & bit) != 0) add(std::string(name));
  }

  std::string words_;
};

template <class Item>
std::string describe_item(const Item& item) {
  ItemDescriber describer;
  Item::fields(item, describer);
  return std::string(Item::name) + describer.words();
}

/// The io of a datagram's fields that reads and prints in one pass: it prints what it could read before what is wrong.
class DatagramAnnotator {
 public:
  /// `name` is the name that the datagram's letter stands for.
  DatagramAnnotator(ByteView datagram, std::string_view types, std::string_view name, std::string& out)
      : name_(name), reader_(datagram, types), lines_(datagram, 0, out) {}

  void head(DatagramType& type, Version& version) {
    reader_.head(type, version);
    const bool has_dtls =
        TypesOf<TypesWithExtra>::value.find(static_cast<char>(type)) != std::string_view::npos;
    item(name_and_version(name_, version) + (has_dtls && (version.extra & extra_dtls) != 0 ? ", DTLS" : ""));
  }

  void registration(std::string_view name, std::uint64_t& registration) {
    reader_.registration(name, registration);
    Bytes bytes;
    ByteWriter(bytes).u64(registration);
    item(std::string(name) + ": " + to_hex(bytes));
  }

  void number(DatagramType type, std::uint32_t& number) {
    reader_.number(type, number);
    const bool is_code = type == DatagramType::failure;
    item(is_code       ? "code: E" + std::to_string(number)
         : number == 0 ? "number: none"
                       : "number: " + std::to_string(number));
  }

  void u32(std::string_view name, std::uint32_t& value) {
    reader_.u32(name, value);
    item(std::string(name) + ": " + std::to_string(value));
  }

  void port(std::string_view name, std::uint16_t& port) {
    reader_.port(name, port);
    item(std::string(name) + ": " + std::to_string(port));
  }

  void secret(std::string_view name, std::array<char, 16>& secret) {
    reader_.secret(name, secret);
    const bool is_none = secret == std::array<char, 16>{};
    item(std::string(name) + ": " + (is_none ? "none" : to_hex({secret.data(), secret.size()})));
  }

  void time(std::string_view name, std::int64_t& seconds, std::uint32_t& milliseconds) {
    reader_.time(name, seconds, milliseconds);
    item(std::string(name) + ": " + std::to_string(seconds) + calendar_text(seconds) + " and " +
         std::to_string(milliseconds) + " ms");
  }

  void zone(std::string_view name, std::int32_t& seconds_east) {
    reader_.zone(name, seconds_east);
    item(std::string(name) + ": " + std::to_string(seconds_east) + " s east of UTC");
  }

  void filler(std::size_t size) {
    const ByteView filler = reader_.rest();
    reader_.filler(size);
    item(std::ranges::all_of(filler, [](char byte) { return byte == 0; }) ? "zeros, not looked at"
                                                                          : "not looked at");
  }

  void printable(std::string_view name, ByteView& text) {
    reader_.printable(name, text);
    item(std::string(name) + ": " + quoted(text));
  }

  void text(std::string_view name, ByteView& text) {
    reader_.text(name, text);
    item(std::string(name) + ": " + quoted(text));
  }

  void rules(ByteView& rules) {
    std::size_t end = reader_.consumed();
    reader_.rules(rules);
    if (reader_.fault()) return;
    for_each_rule(rules, [&](DeviceRule rule, std::uint32_t value) {
      const std::string_view name = rule_name(rule);
      const std::string number = std::to_string(static_cast<std::uint32_t>(rule));
      lines_.print_to(end += 8, (name.empty() ? "rule " + number + ", not known" : std::string(name)) + ": " +
                                    std::to_string(value));
    });
  }

  void screen_items(ByteView& items) {
    print_items<ScreenItem>();
    reader_.screen_items(items);
  }

  void input_items(ByteView& items) {
    print_items<InputItem>();
    reader_.input_items(items);
  }

  /// What is wrong once the last field has been read; nothing if the datagram is right.
  std::optional<std::string> fault_at_end() {
    reader_.end(name_);
    return reader_.fault();
  }

  std::size_t printed() const { return lines_.printed(); }

 private:
  using TypesWithExtra =
      std::variant<ConnectionRequest, ConnectionAccept, RegistrationRequest, RegistrationAccept>;

  void item(std::string_view meaning) {
    if (!reader_.fault()) lines_.print_to(reader_.consumed(), meaning);
  }

  template <class Item>
  void print_items() {
    if (reader_.fault()) return;
    if (reader_.rest().empty()) item("items: none");
    ItemReader walker(reader_.rest());
    const std::size_t start = reader_.consumed();
    for (Item item; walker.next(item);)
      lines_.print_to(start + walker.consumed(),
                      std::visit([](const auto& one) { return describe_item(one); }, item));
  }

  std::string_view name_;
  DatagramReader reader_;
  AnnotatedLines lines_;
};

/// The name of the datagram among `Bodies` that has this type; empty if none of them has it.
template <class Bodies>
std::string_view name_of(DatagramType type) {
  std::string_view name;
  with_body_of(static_cast<const Bodies*>(nullptr), type, [&]<class Body>() { name = Body::name; });
  return name;
}

DatagramType type_of(ByteView datagram) {
  return static_cast<DatagramType>(datagram.size() > 4 ? datagram[4] : '\0');
}

template <class Bodies>
DatagramAnnotation annotate_as(ByteView datagram, Direction direction) {
  DatagramAnnotation result;
  result.direction = direction;
  DatagramAnnotator annotator(datagram, TypesOf<Bodies>::value, name_of<Bodies>(type_of(datagram)),
                              result.text);
  DatagramHead head;
  DatagramHead::fields(head, annotator);
  with_body_of(static_cast<const Bodies*>(nullptr), head.type, [&]<class Body>() {
    Body body;
    Body::fields(body, annotator);
  });
  const auto fault = annotator.fault_at_end();
  result.understood = annotator.printed();
  result.complete = !fault;
  if (fault)
    result.text += "  wrong: " + Rejection{ErrorCode::datagram_malformed, *fault}.text() + " (" +
                   std::to_string(datagram.size() - result.understood) + " bytes from offset " +
                   std::to_string(result.understood) + " not understood)\n";
  return result;
}

/// The datagrams of both directions, for bytes of an unknown type: the message about them names all known types.
using BodyOfAnyType = std::variant<ConnectionRequest, ConnectionAccept, RegistrationRequest,
                                   RegistrationAccept, GetDeviceConfig, DeviceConfig, SetDeviceConfig,
                                   SetTime, ScreenMessage, Acknowledgment, Bye, DeviceFailure>;

DatagramAnnotation annotate_detected(ByteView datagram) {
  const bool may_be_sent = !name_of<BodyToServer>(type_of(datagram)).empty();
  const bool may_be_received = !name_of<BodyToDevice>(type_of(datagram)).empty();
  if (!may_be_sent && !may_be_received) return annotate_as<BodyOfAnyType>(datagram, Direction::detect);
  DatagramAnnotation sent = annotate_as<BodyToServer>(datagram, Direction::to_server);
  if (!may_be_received) return sent;
  DatagramAnnotation received = annotate_as<BodyToDevice>(datagram, Direction::to_client);
  if (!may_be_sent) return received;
  if (sent.text == received.text) {
    sent.direction = Direction::detect;
    return sent;
  }
  // Only messages look different. An input begins with its number, whose first bytes are no item of a screen.
  const bool is_received =
      sent.complete != received.complete ? received.complete : received.understood > sent.understood;
  return is_received ? received : sent;
}

}  // namespace

DatagramAnnotation annotate_datagram(ByteView datagram, Direction direction, std::size_t index) {
  DatagramAnnotation result =
      direction == Direction::to_server   ? annotate_as<BodyToServer>(datagram, direction)
      : direction == Direction::to_client ? annotate_as<BodyToDevice>(datagram, direction)
                                          : annotate_detected(datagram);
  const std::string way = result.direction == Direction::to_server   ? "device to server"
                          : result.direction == Direction::to_client ? "server to device"
                                                                     : "of either side";
  result.text = "datagram " + std::to_string(index) + ", " + way + "\n" + result.text;
  return result;
}

}  // namespace lekt
