// An outbox between a model of the library and a model of a broker, in thousands of random orders of what can happen.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/mqtt/reason.hpp"
#include "common/paho/outbox.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

constexpr int not_allowed = 0x87;
constexpr int packet_identifier_not_found = 0x92;

/// What goes over the wire of the model.
struct Sent {
  PacketType type;
  std::uint16_t id;
  int code = 0;
  Message message = {};
};

/// A message for which a broker closes the connection, each time.
bool is_hated(const Message& message) { return message.qos > 0 && std::stoi(message.payload) % 32 == 19; }

/// Takes what is published and answers it, in order. It refuses some, each time.
struct Broker {
  bool hates_some = false;
  std::deque<Sent> answers;
  std::set<std::uint16_t> open;                ///< messages of QoS 2 that wait for their PUBREL
  std::map<std::string, int> arrived;          ///< payloads, and how often
  std::vector<std::string> first_arrivals[3];  ///< by QoS
  std::set<std::string> refused;

  /// False if it closes the connection.
  [[nodiscard]] bool take(const Sent& packet) {
    if (packet.type == PacketType::pubrel) {
      const bool is_known = open.erase(packet.id) > 0;
      answers.push_back({PacketType::pubcomp, packet.id, is_known ? 0 : packet_identifier_not_found});
      return true;
    }
    const Message& message = packet.message;
    if (hates_some && is_hated(message)) {
      return false;
    }
    if (message.qos > 0 && std::stoi(message.payload) % 16 == 7) {
      refused.insert(message.payload);
      answers.push_back({message.qos == 1 ? PacketType::puback : PacketType::pubrec, packet.id, not_allowed});
      return true;
    }
    if (message.qos < 2 || open.insert(packet.id).second) {
      if (arrived[message.payload]++ == 0) {
        first_arrivals[message.qos].push_back(message.payload);
      }
    }
    if (message.qos > 0) {
      answers.push_back({message.qos == 1 ? PacketType::puback : PacketType::pubrec, packet.id});
    }
    return true;
  }
};

/// What Paho does with messages: gives them packet ids, sends them, and in a session that goes on sends them again.
struct Library {
  struct Exchange {
    std::uint64_t number;
    Message message;
    bool is_released = false;  ///< PUBREC has come, and PUBREL was sent
  };
  std::uint16_t last_id = 0;
  std::map<std::uint16_t, Exchange> under_way;
  std::deque<std::uint16_t> order;      ///< of those
  std::deque<std::uint64_t> unwritten;  ///< of QoS 0, by their numbers: what was sent is told of later
  std::deque<std::uint16_t> to_send;    ///< those that have not left on this connection
};

class Schedule {
 public:
  Schedule(unsigned seed, bool is_kept)
      : random_(seed),
        is_kept_(is_kept),
        max_inflight_(1 + random_() % 20),
        outbox_({.max_inflight = max_inflight_, .is_v5 = true, .is_kept = is_kept}, suspicion_) {
    broker_.hates_some = !is_kept && random_() % 2 == 0;  // a session that is kept ends for such a message
    outbox_.ledger().record_deliveries(deliveries_, OnRefusal::is_counted);
    regain(false);
  }

  void play(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      now_ += 1ms;
      switch (random_() % 16) {
        case 0: is_up_ ? lose() : regain(random_() % 8 != 0); break;
        case 1:
        case 2:
        case 3:
        case 4: take(); break;
        case 5:
        case 6:
        case 7:
        case 8: send(); break;
        default: transmit(); break;
      }
    }
  }

  /// A stop: what is open is finished, as far as the connection goes; without one it is counted.
  void stop(bool with_connection) {
    if (with_connection) {
      for (int turn = 0; outbox_.unacknowledged() > 0 && turn < 100000; ++turn) {
        if (!is_up_) {
          regain(true);
        }
        send();
        transmit();
      }
      EXPECT_EQ(outbox_.unacknowledged(), 0U);
    }
  }

  /// How many messages were found that the broker closes the connection for.
  [[nodiscard]] std::size_t convicted() const { return convicted_; }

  void check() {
    const auto sums = deliveries_->sums();
    std::uint64_t refused = 0;
    for (const auto& [reason, count] : sums.refused) {
      refused += count;
    }
    EXPECT_EQ(sums.taken, taken_.size());
    EXPECT_EQ(sums.acknowledged + refused + outbox_.unacknowledged() + given_up_, sums.taken)
        << "each is acknowledged, refused or counted";
    EXPECT_LE(refused, broker_.refused.size() + convicted_);
    // What has an acknowledgement has arrived, unless it was refused.
    std::size_t missing = 0;
    for (const Message& message : taken_) {
      const bool has_arrived = broker_.arrived.contains(message.payload) || broker_.refused.contains(message.payload);
      missing += message.qos > 0 && !has_arrived ? 1 : 0;
      if (is_kept_ && message.qos == 2 && !has_been_forgotten_) {
        EXPECT_LE(broker_.arrived[message.payload], 1) << message.payload << " came twice";
      }
    }
    EXPECT_LE(missing, outbox_.unacknowledged() + convicted_);
    for (int qos = 1; qos <= 2; ++qos) {
      const auto& first = broker_.first_arrivals[qos];
      EXPECT_TRUE(std::is_sorted(first.begin(), first.end(),
                                 [](const auto& a, const auto& b) { return std::stoi(a) < std::stoi(b); }))
          << "QoS " << qos << " came out of order";
    }
  }

 private:
  void take() {
    const int qos = static_cast<int>(random_() % 3);
    if (outbox_.has_room(qos)) {
      taken_.push_back(
          {.topic = fmt::format("t/{}", taken_.size()), .payload = std::to_string(taken_.size()), .qos = qos});
      outbox_.take(Message{taken_.back()}, now_);
    }
  }

  /// Hands what is due to the library, which sends it.
  void send() {
    if (!is_up_) {
      return;
    }
    for (auto count = 1 + random_() % 4; count > 0; --count) {
      const auto outgoing = outbox_.next(now_);
      if (!outgoing) {
        return;
      }
      if (random_() % 32 == 0) {  // the library has noticed that the connection is gone
        outbox_.put_back(*outgoing);
        lose();
        return;
      }
      const Message& message = outgoing->message();
      if (message.qos == 0) {
        to_broker_.push_back({PacketType::publish, 0, 0, message});
        library_.unwritten.push_back(outgoing->number);
        continue;
      }
      const std::uint16_t id = ++library_.last_id;
      library_.under_way[id] = {outgoing->number, message};
      library_.order.push_back(id);
      library_.to_send.push_back(id);
    }
  }

  /// One packet goes one way or the other.
  void transmit() {
    if (!is_up_) {
      return;
    }
    if (!library_.unwritten.empty() && random_() % 2 == 0) {
      outbox_.written(library_.unwritten.front(), now_);
      library_.unwritten.pop_front();
    }
    if (random_() % 2 == 0) {
      leave();
    }
    if (!to_broker_.empty() && random_() % 2 == 0) {
      const Sent packet = to_broker_.front();
      to_broker_.pop_front();
      if (packet.type == PacketType::publish && packet.message.qos == 0) {
        outbox_.handed_on(++handed_on_, to_broker_.empty() && random_() % 2 == 0, now_);
      }
      if (!broker_.take(packet)) {
        lose(Suspicion::End::closed_by_broker);
      }
    } else if (!broker_.answers.empty()) {
      const Sent answer = broker_.answers.front();
      broker_.answers.pop_front();
      hear(answer);
      leave();
    }
    if (suspicion_.is_careful() && outbox_.all_sent() && outbox_.awaits_none()) {
      outbox_.end_care();
    }
  }

  void hear(const Sent& answer) {
    const auto found = library_.under_way.find(answer.id);
    if (found == library_.under_way.end()) {
      return;  // the gate keeps it back
    }
    const bool is_refused = answer.code >= first_failure && answer.type != PacketType::pubcomp;
    Packet packet;
    packet.type = answer.type;
    packet.id = answer.id;
    if (answer.code != 0) {
      packet.codes = {answer.code};
    }
    outbox_.on_answer(packet, now_);
    if (answer.type == PacketType::pubrec && !is_refused) {
      found->second.is_released = true;
      to_broker_.push_back({PacketType::pubrel, answer.id});
      return;
    }
    const std::uint64_t number = found->second.number;
    in_flight_.erase(answer.id);
    library_.under_way.erase(found);
    std::erase(library_.order, answer.id);
    std::erase(library_.to_send, answer.id);
    if (is_refused) {
      outbox_.refused(number, answer.id, answer.code, now_);
    } else if (random_() % 2 == 0 || !is_kept_) {  // after a loss it may tell nobody, in a session that goes on
      outbox_.acknowledged(number, now_);
    }
  }

  void lose(Suspicion::End end = Suspicion::End::by_something_else) {
    is_up_ = false;
    in_flight_.clear();
    to_broker_.clear();
    library_.unwritten.clear();
    broker_.answers.clear();
    outbox_.lost();
    const auto finding = suspicion_.lost(end, 0s, outbox_.unacknowledged() > 0);
    if (finding != Suspicion::Finding::nothing) {
      const auto suspect = suspicion_.last_suspect();
      EXPECT_TRUE(is_hated(taken_[suspect])) << taken_[suspect].payload << " is innocent";
      outbox_.refuse_suspect(suspect, "closed", now_);
      ++convicted_;
    }
  }

  void regain(bool broker_remembers) {
    const bool goes_on = is_kept_ && broker_remembers && was_connected_;
    has_been_forgotten_ = has_been_forgotten_ || (was_connected_ && !goes_on);
    if (!goes_on) {
      outbox_.start_anew();
      library_.under_way.clear();
      library_.order.clear();
      broker_.open.clear();
    }
    handed_on_ = 0;
    was_connected_ = is_up_ = true;
    outbox_.new_connection("model");
    receive_maximum_ = 1 + random_() % 20;
    outbox_.limit({.receive_maximum = static_cast<std::uint32_t>(receive_maximum_)});
    const auto before = outbox_.unacknowledged();
    outbox_.accepted(goes_on);
    given_up_ += before - outbox_.unacknowledged();  // of QoS 0, which the session does not carry on
    library_.to_send = library_.order;
    if (random_() % 2 == 0) {
      leave();
    }
  }

  /// In order, as far as the outbox lets them go in a session that is kept.
  void leave() {
    while (!library_.to_send.empty()) {
      const std::uint16_t id = library_.to_send.front();
      const auto& exchange = library_.under_way.at(id);
      if (exchange.is_released) {
        to_broker_.push_back({PacketType::pubrel, id});
      } else if (!is_kept_ || outbox_.resend(id, now_).now) {
        outbox_.on_sent(id);
        in_flight_.insert(id);
        EXPECT_LE(in_flight_.size(), suspicion_.is_careful() ? 1 : std::min(max_inflight_, receive_maximum_));
        to_broker_.push_back({PacketType::publish, id, 0, exchange.message});
      } else {
        return;
      }
      library_.to_send.pop_front();
    }
  }

  std::mt19937 random_;
  const bool is_kept_;
  const std::size_t max_inflight_;
  Deadline now_{1s};
  Suspicion suspicion_;
  std::shared_ptr<Deliveries> deliveries_ = std::make_shared<Deliveries>();
  Outbox outbox_;
  Broker broker_;
  Library library_;
  std::deque<Sent> to_broker_;
  std::uint64_t handed_on_ = 0;
  std::vector<Message> taken_;
  std::set<std::uint16_t> in_flight_;  ///< sent on this connection, and not acknowledged
  std::size_t receive_maximum_ = 0;
  std::size_t convicted_ = 0;
  std::uint64_t given_up_ = 0;
  bool is_up_ = false;
  bool was_connected_ = false;
  bool has_been_forgotten_ = false;
};

class Schedules : public testing::TestWithParam<bool> {};

TEST_P(Schedules, EachMessageIsAcknowledgedRefusedOrCountedAndInOrder) {
  constexpr unsigned schedules = 1000;
  std::size_t convicted = 0;
  for (unsigned seed = 1; seed <= schedules && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Schedule schedule{seed, GetParam()};
    schedule.play(300);
    schedule.stop(seed % 4 != 0);
    schedule.check();
    convicted += schedule.convicted();
  }
  EXPECT_EQ(convicted > 0, !GetParam());
}

INSTANTIATE_TEST_SUITE_P(OfASession, Schedules, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "ThatIsKept" : "ThatIsClean"; });

}  // namespace
}  // namespace sistem
