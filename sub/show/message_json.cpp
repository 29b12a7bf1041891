#include "sub/show/message_json.hpp"

#include <nlohmann/json.hpp>

#include "common/text/encoding.hpp"
#include "sub/match/json_text.hpp"

namespace sistem {
namespace {

using Json = nlohmann::ordered_json;

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
    const KnownProperty* const known = known_property(property.identifier);
    if (known == nullptr || !known->may_be_in(PacketType::publish)) {
      continue;
    }
    switch (known->kind) {
      case KnownProperty::Kind::number: add(object, std::string(known->name), property.number); break;
      case KnownProperty::Kind::text: add(object, std::string(known->name), property.text); break;
      case KnownProperty::Kind::bytes: add_bytes(object, std::string(known->name), property.text); break;
      case KnownProperty::Kind::pair: {
        Json& all = object["user-properties"];
        if (all.is_null()) {
          all = Json::object();
        }
        add(all, property.name, property.text);
      }
    }
  }
  return object;
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
  if (!embedded && !pretty) {
    out += text;  // as dump() lays it out
    return true;
  }
  return append_laid_out(text, pretty, out);
}

}  // namespace sistem
