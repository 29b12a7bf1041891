#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/connection_config.hpp"
#include "common/mqtt/packet.hpp"

namespace sistem {

/// What a broker must not do: the connection has to be closed for it. what(): "it sent a second CONNACK".
class Violation : public Malformed {
 public:
  static constexpr int malformed_packet = 0x81;
  static constexpr int protocol_error = 0x82;

  enum class Repeats : std::uint8_t { maybe, surely };

  Violation(int code, const std::string& words, Repeats repeats = Repeats::maybe)
      : Malformed(words), code_(code), repeats_(repeats) {}
  /// Of a packet that is malformed; `why` as Malformed has it.
  [[nodiscard]] static Violation malformed(std::string_view why);

  /// MQTT 5's reason code for DISCONNECT.
  [[nodiscard]] int code() const { return code_; }
  /// Whether the broker would do so again on the next connection: it cannot answer what it is asked.
  [[nodiscard]] bool repeats() const { return repeats_ == Repeats::surely; }

 private:
  int code_;
  Repeats repeats_;
};

/// Decides which of the broker's packets may reach the MQTT library: those that are well formed, and that the library
/// expects at that moment. It knows what is under way on one connection, from the packets that it is shown in both
/// directions. A broker is not trusted: the library frees memory twice where an acknowledgement is none of that kind.
/// Pure: no thread, no clock, no socket. One thread at a time.
class Gate {
 public:
  enum class Act : std::uint8_t {
    pass,       ///< the library gets it, unless it is PUBREL, which is answered by answer()
    keep_back,  ///< it is well formed, and answers nothing any more
    refuse,     ///< CONNACK says no: nothing more will come, and the library has nothing to do with it
    end,        ///< the library gets it, and nothing more will come
  };
  struct Verdict {
    Act act = Act::pass;
    std::string_view why = {};  ///< it is kept back, in a few words
    std::string reply = {};     ///< a packet that it has to be answered by
  };

  /// `carried`: as by under_way() of the connection before, where the session goes on; the library sends again what it
  /// has to.
  explicit Gate(ProtocolVersion version, const std::set<std::uint16_t>& carried = {});

  /// Whether it has to be shown such a packet to the broker.
  [[nodiscard]] static bool needs_sent(std::uint8_t first_byte);
  /// That packet is on its way to the broker. Of PUBLISH the beginning is enough, to the packet id.
  void on_sent(std::string_view packet);

  /// A packet from the broker begins with that byte. Throws Violation where none of that type may come now.
  void on_begin(std::uint8_t first_byte) const;

  /// A packet from the broker, all of it, and not PUBLISH. Throws Violation.
  [[nodiscard]] Verdict on_received(std::string_view packet);

  /// What of a PUBLISH stands before its payload, and was found to be right.
  struct PublishHead {
    int qos = 0;
    std::uint16_t id = 0;  ///< of QoS 1 and 2
  };
  /// Looks at a PUBLISH from the broker of which the first bytes are there; nothing where they do not reach to the
  /// payload. Throws Violation.
  [[nodiscard]] std::optional<PublishHead> head_of(std::string_view bytes) const;

  /// The PUBREL or PUBCOMP that answers a packet with that id; is_known: it belongs to an exchange.
  [[nodiscard]] std::string answer(PacketType type, std::uint16_t id, bool is_known) const;

  [[nodiscard]] ProtocolVersion version() const { return version_; }
  /// Whether CONNACK has said yes.
  [[nodiscard]] bool is_accepted() const { return is_accepted_; }
  /// The packet ids of messages that were sent and whose exchange is not over.
  [[nodiscard]] std::set<std::uint16_t> under_way() const;

 private:
  enum class Stage : std::uint8_t {
    none,
    carried,       ///< from an earlier connection, and not sent again yet
    puback_due,    ///< PUBLISH of QoS 1 was sent
    pubrec_due,    ///< PUBLISH of QoS 2 was sent
    pubrel_due,    ///< and PUBREC was received
    pubcomp_due,   ///< and PUBREL was sent
    suback_due,    ///< SUBSCRIBE was sent
    unsuback_due,  ///< UNSUBSCRIBE was sent
  };

  /// A stage for each packet id. Has memory for those that are used only, and asks for it seldom.
  class Stages {
   public:
    [[nodiscard]] Stage at(std::uint16_t id) const {
      const auto& page = pages_[id / page_size];
      return page ? (*page)[id % page_size] : Stage::none;
    }
    void set(std::uint16_t id, Stage stage);
    [[nodiscard]] std::set<std::uint16_t> messages() const;

   private:
    static constexpr std::size_t page_size = 256;
    using Page = std::array<Stage, page_size>;
    std::array<std::unique_ptr<Page>, 65536 / page_size> pages_;
  };

  [[nodiscard]] Verdict on_connack(const Packet& connack);
  [[nodiscard]] Verdict on_codes(const Packet& answer);
  [[nodiscard]] Verdict on_acknowledgement(PacketType type, std::uint16_t id, int code);
  [[nodiscard]] Verdict on_pubrec(std::uint16_t id, int code);
  void check_properties(std::string_view properties, bool has_topic) const;
  [[nodiscard]] bool is_v5() const { return version_ == ProtocolVersion::v5; }

  ProtocolVersion version_;
  bool is_accepted_ = false;  ///< CONNACK has said yes
  Stages stages_;
  std::map<std::uint16_t, std::size_t> filters_;  ///< how many stand in SUBSCRIBE or UNSUBSCRIBE, by packet id
  std::size_t pings_ = 0;                         ///< without an answer
};

}  // namespace sistem
