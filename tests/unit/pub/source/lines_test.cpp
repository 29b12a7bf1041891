// Lines of input that are messages, and those that are none.
#include "pub/source/lines.hpp"
#include "pub/pub_config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "common/mqtt/record.hpp"
#include "common/process/error.hpp"
#include "common/text/words.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

using Turns = std::vector<Turn>;

/// All turns of a source, each asked for a second after the one before; at most so many.
Turns turns_of(const Source& source, std::size_t most = 100) {
  Turns turns;
  while (turns.size() < most) {
    Turn turn = source({std::chrono::seconds(turns.size())}, {});
    if (turn.messages.empty()) {
      break;
    }
    turns.push_back(std::move(turn));
  }
  return turns;
}

/// What a run of lines came to.
struct LinesRead {
  std::vector<std::string> messages;  ///< "topic payload qos"
  std::string fault;
  std::string notes;
};

LinesRead outcome_of(const std::string& input, const ReadLine& read, OnBadLine on_bad_line = OnBadLine::stop,
                     std::size_t limit = std::size_t{64} << 20) {
  test::Pipe pipe;
  test::Pipe stderr_pipe;
  std::jthread writer([&] {
    pipe.write(input);
    pipe.close_writer();
  });
  const Console console{"pub", false, stderr_pipe.writer()};
  Source source = messages_of(LineReader{pipe.reader(), "stdin", "\n", limit}, read, on_bad_line, console);
  LinesRead outcome;
  try {
    for (Turn turn = source({}, {}); !turn.messages.empty(); turn = source({}, {})) {
      for (const Message& message : turn.messages) {
        outcome.messages.push_back(message.topic + " " + message.payload + " " + std::to_string(message.qos));
      }
    }
  } catch (const UsageError& error) {
    outcome.fault = error.what();
  }
  stderr_pipe.close_writer();
  outcome.notes = stderr_pipe.read_to_end();
  return outcome;
}

using Messages = std::vector<std::string>;

TEST(TopicLines, TheFirstBlankSeparates) {
  const auto outcome = outcome_of("a/b one  two \nc\nd \n", topic_lines({"", "", 1}));
  EXPECT_EQ(outcome.messages, (Messages{"a/b one  two  1", "c  1", "d  1"}));
  EXPECT_EQ(outcome.fault + outcome.notes, "");
}

TEST(TopicLines, AByteOrderMarkIsNoPartOfATopic) {
  EXPECT_EQ(outcome_of("\xEF\xBB\xBF"
                       "t/1 v1\n",
                       topic_lines({}))
                .messages,
            Messages{"t/1 v1 0"});
}

struct Bad {
  std::string line;
  std::string fault;
};

TEST(TopicLines, ABadOneIsToldWithItsNumber) {
  const Bad bads[] = {
      {"", "stdin:2: topic: expected at least one character, got \"\""},
      {" x", "stdin:2: topic: expected at least one character, got \"\""},
      {"a/# x", "stdin:2: topic: expected a topic name without wildcards (+ and # are for subscribing), got \"a/#\""},
      {"\xFF x", "stdin:2: topic: expected UTF-8, got \"\xFF\""},
      {"a\0b x"s, "stdin:2: topic: expected no NUL character in a topic, got \"a\0b\""s},
  };
  for (const Bad& bad : bads) {
    const auto outcome = outcome_of("good x\n" + bad.line + "\nafter y\n", topic_lines({}));
    EXPECT_EQ(outcome.messages, Messages{"good x 0"}) << "what is before it is published";
    // What throws carries C strings: a NUL ends it.
    EXPECT_EQ(outcome.fault, bad.fault.c_str());
  }
}

TEST(JsonLines, HaveEachKeyAndTheRestByDefault) {
  const ReadLine read = json_lines({"default", "", 1, true, {{0x03, 0, "text/plain"}}}, true);
  const auto whole = read(R"({"topic":"a","payload":"x","qos":2,"retain":false,"delay":0.25,)"
                          R"("properties":{"content-type":"other","user-property":[["unit","°C"]]}})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->message.topic, "a");
  EXPECT_EQ(whole->message.payload, "x");
  EXPECT_EQ(whole->message.qos, 2);
  EXPECT_FALSE(whole->message.retain);
  EXPECT_EQ(whole->delay, nanoseconds(250ms));
  EXPECT_EQ(whole->message.properties, (std::vector<Property>{{0x03, 0, "other"}, {0x26, 0, "°C", "unit"}}));
  const auto little = read(R"({"payload_base64":"AP8="})");
  ASSERT_TRUE(little);
  EXPECT_EQ(little->message.topic, "default");
  EXPECT_EQ(little->message.payload, "\0\xFF"s);
  EXPECT_EQ(little->message.qos, 1);
  EXPECT_TRUE(little->message.retain);
  EXPECT_EQ(little->message.properties, (std::vector<Property>{{0x03, 0, "text/plain"}}));
  EXPECT_FALSE(little->delay);
  EXPECT_FALSE(read(" \t\r")) << "an empty line says nothing";
}

TEST(JsonLines, AnExpiryIsTheLongestThatCanBeSent) {
  const auto line = json_lines({}, true)(R"({"topic":"a","properties":{"message-expiry-interval":4294967295}})");
  EXPECT_EQ(line.value().message.properties, (std::vector<Property>{{0x02, longest_expiry, ""}}));
}

TEST(JsonLines, ABadOneIsToldWithItsNumber) {
  const Bad bads[] = {
      {"nonsense", "expected a JSON object in one line"},
      {"[1]", "expected a JSON object in one line"},
      {"{\"topic\":\"a\"", "expected a JSON object in one line"},
      {"{\"payload\":\"x\"}", "topic: expected a topic name"},
      {R"({"topic":"a","qos":3})", "qos: expected 0, 1 or 2, got 3"},
      {R"({"topic":"a","retain":1})", "retain: expected true or false, got 1"},
      {R"({"topic":"a","delay":-1})", "delay: expected seconds, 0 or more, got -1"},
      {R"({"topic":"a","delay":1e10})", "delay: expected 1000000000 seconds at most"},
      {R"({"topic":"a","payload_base64":"?"})", "payload_base64: expected base64, with its padding, got \"?\""},
      {R"({"topic":"a","properties":{"content-type":"x"}})",
       "properties: expected none, since only MQTT 5 has them: -V 5"},
  };
  for (const Bad& bad : bads) {
    const auto outcome = outcome_of("\n" + bad.line + "\n{\"topic\":\"b\"}", json_lines({}, false));
    EXPECT_EQ(outcome.fault, "stdin:2: " + bad.fault);
    EXPECT_EQ(outcome.messages, Messages{});
    const auto skipped = outcome_of("\n" + bad.line + "\n{\"topic\":\"b\"}", json_lines({}, false), OnBadLine::skip);
    EXPECT_EQ(skipped.messages, Messages{"b  0"});
    EXPECT_EQ(skipped.notes, "pub: stdin:2: " + bad.fault + "\npub: stdin: 1 line was skipped\n");
    EXPECT_EQ(skipped.fault, "");
  }
}

TEST(MessagesOf, ALineThatIsTooLongIsABadOne) {
  const std::string input = "ok\n" + std::string(200'000, 'x') + "\n123456\nend";
  const auto stopped = outcome_of(input, payload_lines({"t"}), OnBadLine::stop, 5);
  EXPECT_EQ(stopped.messages, Messages{"t ok 0"});
  EXPECT_EQ(stopped.fault, "stdin:2: the line is larger than one MQTT message can be: at most 5 bytes here");
  const auto skipped = outcome_of(input, payload_lines({"t"}), OnBadLine::skip, 5);
  EXPECT_EQ(skipped.messages, (Messages{"t ok 0", "t end 0"}));
  EXPECT_TRUE(skipped.notes.ends_with("pub: stdin: 2 lines were skipped\n")) << skipped.notes;
}

TEST(MessagesOf, APayloadThatNoPacketCarriesIsABadLine) {
  Message message{"t"};
  message.payload.resize(992);
  try {
    check_size(message, 1000);
    ADD_FAILURE() << "took it";
  } catch (const Expected& expected) {
    EXPECT_STREQ(expected.what(), "payload: expected at most 991 bytes, got 992");
  }
}

TEST(MessagesOf, ADelayCountsFromWhenTheMessageBeforeWasDue) {
  test::Pipe pipe;
  pipe.write(
      "{\"topic\":\"a\"}\n{\"topic\":\"b\"}\n{\"topic\":\"c\",\"delay\":0.5}\n{\"topic\":\"d\",\"delay\":0.25}\n"
      "{\"topic\":\"e\"}\n{\"topic\":\"f\",\"delay\":0}\n");
  pipe.close_writer();
  const Console console{"pub"};
  const Turns turns = turns_of(
      messages_of(LineReader{pipe.reader(), "stdin", "\n", 1000}, json_lines({}, false), OnBadLine::stop, console));
  ASSERT_EQ(turns.size(), 5U);
  EXPECT_EQ(turns[0].messages.size(), 2U) << "what has no delay goes together";
  EXPECT_EQ(turns[0].due, std::nullopt);
  EXPECT_EQ(turns[1].due, nanoseconds(1500ms)) << "it was the second one's turn after a second";
  EXPECT_EQ(turns[2].due, nanoseconds(1750ms));
  EXPECT_EQ(turns[3].due, std::nullopt);
  EXPECT_EQ(turns[4].due, nanoseconds(4s));
}

/// A recording of the test's own, and what becomes of it.
class Replay : public testing::Test {
 protected:
  void record(const std::string& topic, nanoseconds steady, nanoseconds wall, const std::string& payload = "x") {
    Message message{topic, payload, 1, true};
    message.arrival_steady = std::chrono::steady_clock::time_point{steady};
    message.arrival = std::chrono::system_clock::time_point{wall};
    append_record(message, lines_);
    lines_ += '\n';
  }

  Turns replay(std::size_t most = 100) {
    const auto file = folder_.write("recording", lines_);
    config_.replay = file;
    return turns_of(source_of(config_, config_.connection, console_, {}), most);
  }

  std::vector<nanoseconds> dues(std::size_t most = 100) {
    std::vector<nanoseconds> all;
    for (const Turn& turn : replay(most)) {
      all.push_back(turn.due.value());
    }
    return all;
  }

  test::TemporaryFolder folder_;
  Console console_{"pub"};
  PubConfig config_;
  std::string lines_;
};

TEST_F(Replay, EachMessageIsDueAsLongAfterTheFirstAsItCame) {
  record("a", 100s, 500s);
  record("b", 100s + 1ns, 400s);
  record("c", 103s, 400s);
  const auto turns = replay();
  ASSERT_EQ(turns.size(), 3U);
  EXPECT_EQ(turns[0].due, 0ns);
  EXPECT_EQ(turns[1].due, 1ns);
  EXPECT_EQ(turns[2].due, 3s);
  const Message& message = turns[2].messages.at(0);
  EXPECT_EQ(message.topic, "c");
  EXPECT_EQ(message.qos, 1) << "as it was recorded";
  EXPECT_TRUE(message.retain);
}

TEST_F(Replay, WhereTheSteadyClockGoesBackTheTimeOfDayCounts) {
  record("a", 100s, 500s);
  record("b", 50s, 502s);  // after a restart of the host
  record("c", 51s, 400s);
  record("d", 40s, 300s);  // both went back
  EXPECT_EQ(dues(), (std::vector<nanoseconds>{0s, 2s, 3s, 3s}));
}

TEST_F(Replay, AHandwrittenOneHasDelaysOrNone) {
  lines_ = "{\"topic\":\"a\"}\n\n{\"topic\":\"b\",\"delay\":2}\n{\"topic\":\"c\"}";
  EXPECT_EQ(dues(), (std::vector<nanoseconds>{0s, 2s, 2s}));
}

TEST_F(Replay, OptionsWinOverTheRecordedQosAndRetainFlag) {
  record("a", 1s, 1s);
  config_.qos = 2;
  config_.qos_given = config_.retain_given = true;
  const auto turns = replay();
  EXPECT_EQ(turns.at(0).messages.at(0).qos, 2);
  EXPECT_FALSE(turns.at(0).messages.at(0).retain);
}

TEST_F(Replay, TopicsAreMapped) {
  record("sistem/cpu", 1s, 1s);
  record("sistems", 1s, 1s);
  config_.topic_map = {{"sistem", "copy/of"}};
  const auto turns = replay();
  EXPECT_EQ(turns.at(0).messages.at(0).topic, "copy/of/cpu");
  EXPECT_EQ(turns.at(1).messages.at(0).topic, "sistems");
}

TEST_F(Replay, ALoopBeginsAgainAfterTheMeanGap) {
  record("a", 100s, 1s);
  record("b", 101s, 1s);
  record("c", 104s, 1s);
  config_.loop = true;
  EXPECT_EQ(dues(7), (std::vector<nanoseconds>{0s, 1s, 4s, 6s, 7s, 10s, 12s}));
  lines_.clear();
  record("only", 100s, 1s);
  EXPECT_EQ(dues(3), (std::vector<nanoseconds>{0s, 1s, 2s}));
}

TEST_F(Replay, ALoopOfNothingEnds) {
  config_.loop = true;
  EXPECT_TRUE(replay().empty());
  lines_ = "\n\n";
  EXPECT_TRUE(replay().empty());
}

TEST_F(Replay, ABadLineIsToldWithItsFile) {
  record("a", 1s, 1s);
  lines_ += "nonsense\n";
  try {
    (void)replay();
    ADD_FAILURE() << "took it";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.what(), (folder_.path() / "recording").string() + ":2: expected a JSON object in one line");
  }
}

TEST_F(Replay, APipeCannotBeReadTwice) {
  const test::Pipe pipe;
  config_.loop = true;
  try {
    (void)replay_of(LineReader{pipe.reader(), "fifo", "\n", 100}, config_, {}, false, console_);
    ADD_FAILURE() << "took it";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "--loop: fifo cannot be read twice");
  }
}

TEST(TopicMap, TakesWholeLevels) {
  struct Row {
    const char* mapping;
    const char* topic;
    const char* becomes;
  };
  for (const Row& row : {
           Row{"a=b", "a", "b"},
           Row{"a=b", "a/x", "b/x"},
           Row{"a=b", "ab/x", "ab/x"},
           Row{"a=b", "x/a", "x/a"},
           Row{"a/=b/", "a/x", "b/x"},
           Row{"a/x=b", "a/x/y", "b/y"},
           Row{"a=", "a/x", "x"},
           Row{"=copy", "a/x", "copy/a/x"},
           Row{"a=b=c", "a/x", "b=c/x"},
           Row{"a=b", "/a", "/a"},
           Row{"/a=b", "/a/x", "b/x"},
       }) {
    EXPECT_EQ(mapped(row.topic, {topic_mapping(row.mapping)}), row.becomes) << row.mapping << " " << row.topic;
  }
  EXPECT_EQ(mapped("a/b/c", {topic_mapping("a/b=one"), topic_mapping("a=two")}), "one/c") << "the first that fits";
  EXPECT_EQ(mapped("a/c", {topic_mapping("a/b=one"), topic_mapping("a=two")}), "two/c");
}

TEST(TopicMap, SaysWhatIsNone) {
  for (const auto& [text, complaint] : {std::pair{"a",
                                                  "expected FROM=TO, the first levels of a topic and what takes "
                                                  "their place"},
                                        std::pair{"=",
                                                  "expected FROM=TO, the first levels of a topic and what takes "
                                                  "their place"},
                                        std::pair{"a/#=b",
                                                  "expected a topic name without wildcards (+ and # are for "
                                                  "subscribing)"}}) {
    try {
      (void)topic_mapping(text);
      ADD_FAILURE() << "took " << text;
    } catch (const Expected& expected) {
      EXPECT_STREQ(expected.what(), complaint);
    }
  }
}

}  // namespace
}  // namespace sistem
