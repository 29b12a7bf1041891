#include "sub/message_json.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "common/payload.hpp"

namespace sistem {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t deepest = 1000;

/// Adds a member even if there is one of that name: a message may carry a property several times [MQTT5-3.3.2.3.7],
/// and as mosquitto_sub we show each.
void add(Json& object, std::string name, Json value) {
  object.get_ref<Json::object_t&>().push_back({std::move(name), std::move(value)});
}

/// Adds bytes as the string that they are, or under a name that says so as base64. mosquitto_sub's JSON ends at a NUL,
/// and is none where the bytes are not UTF-8.
void add_bytes(Json& object, const std::string& name, const std::string& bytes) {
  if (is_text(bytes)) {
    add(object, name, bytes);
  } else {
    add(object, name + "_base64", base64(bytes));
  }
}

/// The properties that PUBLISH carries, by mosquitto_sub's names, which are the specification's.
Json json_of(const std::vector<Property>& properties) {
  Json object = Json::object();
  for (const Property& property : properties) {
    switch (property.identifier) {
      case 1: add(object, "payload-format-indicator", property.number); break;
      case 2: add(object, "message-expiry-interval", property.number); break;
      case 3: add(object, "content-type", property.text); break;
      case 8: add(object, "response-topic", property.text); break;
      case 9: add_bytes(object, "correlation-data", property.text); break;
      case 11: add(object, "subscription-identifier", property.number); break;
      case 35: add(object, "topic-alias", property.number); break;
      case 38: {
        Json& all = object["user-properties"];
        if (all.is_null()) {
          all = Json::object();
        }
        add(all, property.name, property.text);
        break;
      }
      default: break;  // PUBLISH carries no others [MQTT5-2.2.2.2]
    }
  }
  return object;
}

/// Writes JSON again with other spaces between its tokens: none, or as mosquitto_sub's --pretty does. The tokens stay
/// as they were spelled, so that 27.0 does not become 27, nor a long number a shorter one.
class Layout {
 public:
  Layout(bool pretty, std::string& out) : pretty_(pretty), out_(out) {}

  /// Takes what is known to be JSON. False where it is nested too deep.
  bool write(std::string_view json) {
    for (std::size_t at = 0; at < json.size(); ++at) {
      if (json[at] == '"') {
        const std::size_t end = end_of_string(json, at);
        begin_value();
        out_ += json.substr(at, end - at);
        at = end - 1;
      } else if (!put(json[at])) {
        return false;
      }
    }
    return true;
  }

 private:
  static std::size_t end_of_string(std::string_view json, std::size_t at) {
    for (++at; json[at] != '"'; ++at) {
      at += json[at] == '\\' ? 1 : 0;
    }
    return at + 1;
  }

  bool put(char c) {
    switch (c) {
      case ' ':
      case '\t':
      case '\n':
      case '\r': return true;
      case '{':
      case '[': return open(c);
      case '}':
      case ']': close(c); return true;
      case ':': out_ += pretty_ ? ":\t" : ":"; return true;
      case ',': comma(); return true;
      default:
        begin_value();
        out_ += c;
        return true;
    }
  }

  bool open(char bracket) {
    begin_value();
    out_ += bracket;
    open_ += bracket;
    if (pretty_ && bracket == '{') {
      out_ += '\n';
      fresh_line_ = true;
    }
    return open_.size() <= deepest;
  }

  void close(char bracket) {
    open_.pop_back();
    if (pretty_ && bracket == '}') {
      out_ += fresh_line_ ? "" : "\n";
      out_.append(open_.size(), '\t');
      fresh_line_ = false;
    }
    out_ += bracket;
  }

  void comma() {
    out_ += ',';
    if (pretty_) {
      fresh_line_ = open_.back() == '{';
      out_ += fresh_line_ ? '\n' : ' ';
    }
  }

  /// Before any token that is not punctuation.
  void begin_value() {
    if (fresh_line_) {
      out_.append(open_.size(), '\t');
      fresh_line_ = false;
    }
  }

  bool pretty_;
  std::string& out_;
  std::string open_;         ///< the brackets that are open
  bool fresh_line_ = false;  ///< a line of an object was begun and holds nothing yet
};

/// Tells whether `text` is JSON as the standard has it [RFC 8259], but for a byte order mark, which is cut off. (To
/// nlohmann's parser a NUL is the end of its input.)
bool take_json(std::string_view& text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) {
    text.remove_prefix(mark.size());
  }
  return text.find('\0') == std::string_view::npos && nlohmann::json::accept(text);
}

}  // namespace

bool append_json(const Message& message, std::string_view time, JsonPayload payload, bool pretty, std::string& out) {
  Json object{{"tst", time},
              {"topic", message.topic},
              {"qos", message.qos},
              {"retain", message.retain ? 1 : 0},
              {"payloadlen", message.payload.size()}};
  if (message.qos > 0) {
    object["mid"] = message.packet_id;
  }
  if (!message.properties.empty()) {
    object["properties"] = json_of(message.properties);
  }
  const bool embedded = payload == JsonPayload::embedded && !message.payload.empty();
  if (message.payload.empty()) {
    object["payload"] = nullptr;
  } else if (!embedded) {
    add_bytes(object, "payload", message.payload);
  }
  // Whatever a broker lets pass for a topic or a property, what we print is JSON.
  std::string text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (embedded) {
    std::string_view json = message.payload;
    if (!take_json(json)) {
      return false;
    }
    text.pop_back();
    text.append(R"(,"payload":)").append(json).append("}");
  }
  const std::size_t before = out.size();
  if (!embedded && !pretty) {
    out += text;  // as dump() lays it out
  } else if (!Layout{pretty, out}.write(text)) {
    out.resize(before);
    return false;
  }
  return true;
}

}  // namespace sistem
