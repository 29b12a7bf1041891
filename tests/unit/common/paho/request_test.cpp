#include "common/paho/request.hpp"

#include <gtest/gtest.h>

#include "common/paho/losses.hpp"
#include "common/paho/subscriptions.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

Packet packet(PacketType type, std::uint16_t id) {
  Packet one;
  one.type = type;
  one.id = id;
  return one;
}

// A SUBACK that comes while an UNSUBACK is awaited, or on another connection, is no answer.
TEST(Request, AnAnswerBelongsToAConnectionATypeAndAPacketId) {
  Request request;
  request.ask(3, PacketType::unsubscribe, {"a"});
  request.heard(3, packet(PacketType::unsuback, 7));
  EXPECT_FALSE(request.answer()) << "the request is not on the wire yet";
  request.sent(3, PacketType::subscribe, 7);
  request.sent(2, PacketType::unsubscribe, 7);
  request.heard(3, packet(PacketType::unsuback, 7));
  EXPECT_FALSE(request.answer()) << "those were other requests";
  request.sent(3, PacketType::unsubscribe, 7);
  request.heard(3, packet(PacketType::suback, 7));
  request.heard(3, packet(PacketType::unsuback, 8));
  request.heard(4, packet(PacketType::unsuback, 7));
  EXPECT_FALSE(request.answer());
  EXPECT_EQ(request.filters().size(), 1U);
  request.heard(3, packet(PacketType::unsuback, 7));
  ASSERT_TRUE(request.answer());
  EXPECT_EQ(request.answer()->id, 7);
  EXPECT_TRUE(request.filters().empty()) << "none waits for an answer";
  request.ask(3, PacketType::subscribe, {"b"});
  EXPECT_FALSE(request.answer()) << "this one has none yet";
  EXPECT_TRUE(request.is_subscribe());
}

TEST(Subscriptions, AConnectionIsRegainedWithWhatIsSubscribed) {
  Subscriptions subscriptions;
  EXPECT_FALSE(subscriptions.has_any());
  subscriptions.add({{.filter = "a", .qos = 0}, {.filter = "b", .qos = 1}});
  subscriptions.add({{.filter = "a", .qos = 2}});
  subscriptions.remove({"b"});
  ASSERT_EQ(subscriptions.all().size(), 1U);
  EXPECT_EQ(subscriptions.all().front().qos, 2);
  EXPECT_TRUE(subscriptions.has_any());
  EXPECT_FALSE(subscriptions.renewed(subscriptions.all()));
  subscriptions.renew({{"a", 1, ""}});
  ASSERT_TRUE(subscriptions.renewed(subscriptions.all()));
  EXPECT_EQ(subscriptions.renewed(subscriptions.all())->front().qos, 1);
  EXPECT_FALSE(subscriptions.renewed({{.filter = "a"}, {.filter = "c"}})) << "not all of them";
  subscriptions.add({{.filter = "c"}});
  EXPECT_FALSE(subscriptions.renewed({{.filter = "a"}})) << "what was said before is said of others";
}

TEST(Losses, ThreeShortLivesInARowMayBeAnotherClients) {
  Losses losses;
  const Losses::Loss closed{.closed_after = 5s, .dismissal = {}, .life = 10ms, .is_anything_open = false};
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(losses.examine(closed), Suspicion::Finding::nothing);
    EXPECT_FALSE(losses.hint_at_another_client());
  }
  EXPECT_EQ(losses.examine(closed), Suspicion::Finding::nothing);
  EXPECT_TRUE(losses.hint_at_another_client());
  EXPECT_EQ(losses.closed(), 3U);
  losses.broker_was_away();
  EXPECT_FALSE(losses.hint_at_another_client());
  EXPECT_EQ(losses.examine({.closed_after = {}, .dismissal = {}, .life = 10ms}), Suspicion::Finding::nothing);
  EXPECT_EQ(losses.closed(), 3U) << "that was the network";
}

TEST(Losses, APacketThatEachConnectionIsClosedForIsGuilty) {
  Losses losses;
  const Losses::Loss closed{.closed_after = 1ms, .dismissal = {}, .life = 5s, .is_anything_open = true};
  for (int loss = 0; loss < 2; ++loss) {
    losses.suspicion().sent(Suspicion::subscribe, true);
    EXPECT_EQ(losses.examine(closed), Suspicion::Finding::nothing);
  }
  losses.suspicion().sent(Suspicion::subscribe, true);
  EXPECT_EQ(losses.examine(closed), Suspicion::Finding::guilty);
  EXPECT_EQ(losses.suspicion().last_suspect(), Suspicion::subscribe);
}

TEST(Losses, ADisconnectThatRefusesWhatWasSentIsEnough) {
  constexpr int topic_name_invalid = 0x90;
  Losses losses;
  losses.suspicion().sent(1, true);
  EXPECT_EQ(losses.examine({.closed_after = {}, .dismissal = topic_name_invalid, .life = 5s, .is_anything_open = true}),
            Suspicion::Finding::guilty);
}

}  // namespace
}  // namespace sistem
