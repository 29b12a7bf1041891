// Requests by pub and answers by sub, through a real Mosquitto.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/integration/tools.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {
namespace {

using namespace std::string_literals;

class RequestResponse : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_MOSQUITTO();
    broker_ = std::make_unique<Broker>();
  }
  /// A sub that answers.
  [[nodiscard]] std::unique_ptr<Process> responder(const Arguments& arguments) const {
    auto process = std::make_unique<Process>(sub(*broker_, arguments));
    process->wait_for_stderr("subscribed to");
    return process;
  }
  [[nodiscard]] Result ask(const Arguments& arguments, const std::string& input = {}) const {
    return run(pub(*broker_, Arguments{"--request"} + arguments), input);
  }
  /// Ends it with that status.
  static void end(Process& process, int status = 0) {
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), status) << process.report();
  }

  std::unique_ptr<Broker> broker_;
};

TEST_F(RequestResponse, AnAnswerIsPrintedByWhoeverAsked) {
  for (const char* version : {"5", "311"}) {
    for (const char* qos : {"0", "1", "2"}) {
      const auto responder = this->responder({"-V", version, "-q", qos, "-t", "ask/#", "--respond", "%t=%p"});
      const Result result = ask({"-V", version, "-q", qos, "-t", "ask/this", "-m", "x"});
      EXPECT_EQ(result.status, 0) << result.report;
      EXPECT_EQ(result.out, "ask/this=x\n");
      EXPECT_EQ(result.err, "");
      end(*responder);
    }
  }
}

TEST_F(RequestResponse, RepeatedTheRoundTripsAreTold) {
  const auto responder = this->responder({"-t", "ask", "--respond", "%p"});
  const Result result = ask({"-t", "ask", "-m", "x", "--repeat", "3"});
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "x\nx\nx\n");
  EXPECT_NE(result.err.find("pub: answer 3 after "), std::string::npos) << result.report;
  EXPECT_NE(result.err.find("pub: 3 of 3 answers; round trip "), std::string::npos) << result.report;
}

TEST_F(RequestResponse, EachLineIsARequest) {
  const auto responder = this->responder({"-t", "ask", "--respond-exec", "tr a-z A-Z"});
  const Result result = ask({"-t", "ask", "-l"}, "one\ntwo\n\nthree");
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_EQ(result.out, "ONE\nTWO\n\nTHREE\n");
}

TEST_F(RequestResponse, NoAnswerInTimeIsStatus27) {
  const Result result = ask({"-i", "asker", "-t", "ask", "-m", "x", "-W", "0.2"});
  EXPECT_EQ(result.status, 27) << result.report;
  EXPECT_EQ(result.err, "pub: no answer to the request on response/asker within 0.2 s\n");
}

TEST_F(RequestResponse, ManyWhoAskAtTheSameTimeGetTheirOwnAnswers) {
  const auto responder = this->responder({"-t", "ask", "-q", "1", "--respond", "%p"});
  std::vector<std::unique_ptr<Process>> askers;
  for (int number = 0; number < 4; ++number) {
    askers.push_back(std::make_unique<Process>(pub(
        *broker_, {"--request", "-q", "1", "-t", "ask", "-m", "mine " + std::to_string(number), "--repeat", "20"})));
  }
  for (int number = 0; number < 4; ++number) {
    EXPECT_EQ(askers.at(static_cast<std::size_t>(number))->wait(), 0);
    std::string expected;
    for (int time = 0; time < 20; ++time) {
      expected += "mine " + std::to_string(number) + "\n";
    }
    EXPECT_EQ(askers.at(static_cast<std::size_t>(number))->out(), expected);
  }
}

TEST_F(RequestResponse, WhoHasAgreedOnATopicIsAnsweredThere) {
  const auto responder = this->responder({"-t", "ask", "--respond", "%p!", "--response-topic", "agreed/%t"});
  const Result older = ask({"-V", "311", "-t", "ask", "-m", "x", "--response-topic", "agreed/ask"});
  EXPECT_EQ(older.status, 0) << older.report;
  EXPECT_EQ(older.out, "x!\n");
}

TEST_F(RequestResponse, ACommandGetsThePayloadAndKnowsTheTopic) {
  const TemporaryFolder folder;
  const auto script = folder.write(
      "answer", "#!/bin/sh\nprintf '%s %s %s ' \"$REQUEST_TOPIC\" \"$REQUEST_QOS\" \"$REQUEST_RESPONSE_TOPIC\"\ncat\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  const auto responder = this->responder({"-t", "ask", "-q", "1", "-F", "%l", "--respond-exec", script.string()});
  const std::string bytes = "a\0b\xFF"s + std::string(200000, 'x');  // more than a pipe holds
  const Result result = ask({"-t", "ask", "-q", "1", "--response-topic", "here", "-s"}, bytes);
  EXPECT_EQ(result.status, 0) << result.report;
  EXPECT_TRUE(result.out == "ask 1 here " + bytes + "\n") << result.out.size();
}

TEST_F(RequestResponse, ACommandGetsNoPasswords) {
  Start start = sub(*broker_, {"-t", "ask", "--respond-shell", "--respond-exec", "env"});
  start.environment["MQTT_USERNAME"] = "me";
  start.environment["MQTT_PASSWORD"] = "secret";
  start.environment["MQTT_PROPERTY"] = "connect user-property token secret";
  start.environment["MQTT_URL"] = "mqtt://me:secret@127.0.0.1:" + std::to_string(broker_->port()) + "/ask";
  Process responder{start};
  responder.wait_for_stderr("subscribed to");
  const Result result = ask({"-t", "ask", "-m", "x"});
  EXPECT_NE(result.out.find("MQTT_USERNAME=me\n"), std::string::npos) << result.report;
  EXPECT_NE(result.out.find("REQUEST_TOPIC=ask"), std::string::npos) << result.report;
  EXPECT_EQ(result.out.find("secret"), std::string::npos) << result.report;
}

TEST_F(RequestResponse, OnlyAShellThatWasAskedForReadsTheCommand) {
  {
    const auto responder = this->responder({"-t", "ask", "--respond-exec", "echo $HOME;  \"two  words\""});
    EXPECT_EQ(ask({"-t", "ask", "-m", "x"}).out, "$HOME; two  words\n");
  }
  const auto responder = this->responder({"-t", "ask", "--respond-shell", "--respond-exec", "echo one; echo two"});
  EXPECT_EQ(ask({"-t", "ask", "-m", "x"}).out, "one\ntwo\n");
}

TEST_F(RequestResponse, ACommandThatFailsGivesNoAnswerAndIsTold) {
  const auto responder = this->responder(
      {"-t", "ask", "--respond-shell", "--respond-timeout", "1", "--respond-exec",
       "read -r how; case $how in bad) exit 3;; slow) sleep 60;; dead) kill -9 $$;; *) echo good;; esac"});
  for (const auto& [how, why] : {std::pair{"bad", "ended with status 3"}, std::pair{"slow", "took too long"},
                                 std::pair{"dead", "was ended by signal 9"}}) {
    EXPECT_EQ(ask({"-t", "ask", "-m", how, "-W", "0.2"}).status, 27);
    responder->wait_for_stderr(why);
  }
  EXPECT_EQ(ask({"-t", "ask", "-m", "well"}).out, "good\n");
  end(*responder, 1);
}

TEST_F(RequestResponse, SoManyCommandsRunAtTheSameTimeAndNoMore) {
  const TemporaryFolder folder;
  // The first two wait for each other, and for the word that all four are asked for.
  Start start = sub(*broker_, {"-t", "ask/#", "-q", "1", "--respond-max", "2", "--respond-shell", "--respond-exec",
                               "echo begin >>log; until [ -e go ] && [ $(wc -l <log) -ge 2 ]; do sleep 0.01; done; "
                               "echo end >>log"});
  start.directory = folder.path();
  Process responder{start};
  responder.wait_for_stderr("subscribed to");
  std::vector<std::unique_ptr<Process>> askers;
  for (const char* topic : {"ask/1", "ask/2", "ask/3", "ask/4"}) {
    askers.push_back(
        std::make_unique<Process>(pub(*broker_, {"--request", "-q", "1", "-W", "60", "-t", topic, "-m", "x"})));
    broker_->wait_for_log("'"s + topic + "'");
  }
  folder.write("go", "");
  for (const auto& asker : askers) {
    EXPECT_EQ(asker->wait(), 0) << asker->report();
  }
  std::ifstream log{folder.path() / "log"};
  int running = 0;
  int most = 0;
  for (std::string line; std::getline(log, line);) {
    running += line == "begin" ? 1 : -1;
    most = std::max(most, running);
  }
  EXPECT_EQ(most, 2);
  EXPECT_EQ(running, 0);
}

TEST_F(RequestResponse, ACountedRunEndsWhenItsAnswersAreGiven) {
  const auto responder = this->responder({"-t", "ask", "-C", "1", "--respond-exec", "sh -c \"sleep 0.1; cat\""});
  EXPECT_EQ(ask({"-t", "ask", "-m", "x"}).out, "x\n");
  EXPECT_EQ(responder->wait(), 0) << responder->report();
}

TEST_F(RequestResponse, AStopEndsTheCommandsThatRun) {
  const auto responder = this->responder({"-t", "ask", "--respond-exec", "sleep 600"});
  Process asker{pub(*broker_, {"--request", "-t", "ask", "-m", "x"})};
  responder->wait_for_stdout("x\n");
  end(*responder, 1);
  EXPECT_NE(responder->err().find("was stopped with sub"), std::string::npos) << responder->report();
}

TEST_F(RequestResponse, ARefusedRequestIsStatus5AndNotWaitedFor) {
  const TemporaryFolder folder;
  const auto acl = folder.write("acl", "topic readwrite response/#\ntopic read closed/#\n");
  const Broker narrow{"allow_anonymous true\nacl_file " + acl.string() + "\n"};
  const Result result = run(pub(narrow, {"--request", "-q", "1", "-t", "closed/x", "-m", "x", "-W", "3600"}));
  EXPECT_EQ(result.status, 5) << result.report;
  EXPECT_NE(result.err.find("refused the message to closed/x"), std::string::npos) << result.report;
}

TEST_F(RequestResponse, TheTimeIsUpAlsoForRequestsThatWaitForACommand) {
  Process responder{
      sub(*broker_, {"-t", "ask", "-q", "1", "-W", "1", "--respond-max", "1", "--respond-exec", "sleep 600"})};
  responder.wait_for_stderr("subscribed to");
  const Result asking = run(pub(*broker_, {"-V", "5", "-t", "ask", "-m", "x", "-q", "1", "--repeat", "3", "-D",
                                           "publish", "response-topic", "there"}));
  EXPECT_EQ(asking.status, 0) << asking.report;
  EXPECT_EQ(responder.wait(), 27) << responder.report();
  EXPECT_NE(responder.err().find("no answer to the request on ask: time is up"), std::string::npos)
      << responder.report();
}

TEST_F(RequestResponse, AnAnswerIsPrintedByteForByteWhereThatIsAskedFor) {
  const auto responder = this->responder({"-t", "ask", "--respond", "%p"});
  EXPECT_EQ(ask({"-t", "ask", "-s", "-N"}, "a\0\n"s).out, "a\0\n"s);
}

TEST_F(RequestResponse, WhatMakesNoSenseIsWrongUsage) {
  const std::tuple<const char*, Arguments, std::string> table[] = {
      {PUB, {"-t", "a", "-m", "x", "--response-topic", "b"}, "--response-topic needs --request"},
      {PUB, {"--request"}, "--request needs a message that asks"},
      {PUB,
       {"--request", "-t", "a", "-m", "x", "--response-topic", "b", "-D", "publish", "response-topic", "c"},
       "the response topic can be said once only"},
      {PUB, {"--request", "-t", "a", "-m", "x", "--response-topic", "b/#"}, "--response-topic: expected a topic name"},
      {SUB, {"-t", "a", "--respond-max", "2"}, "--respond-max needs --respond-exec"},
      {SUB,
       {"-t", "a", "--respond-exec", "no-such-program"},
       "--respond-exec: cannot run no-such-program: there is none"},
      {SUB, {"-t", "a", "--respond-exec", "/no/such"}, "--respond-exec: cannot run /no/such: No such file"},
      {SUB, {"-t", "a", "--respond-exec", ""}, "--respond-exec: expected a program"},
      {SUB, {"-t", "a", "--respond", "%y"}, "--respond: expected"},
      {SUB, {"-t", "a", "--respond", "x", "--respond-exec", "cat"}, "--respond"},
      {SUB, {"-t", "a", "--response-topic", "x"}, "--response-topic needs --respond"},
      {SUB, {"-t", "a", "-D", "publish", "content-type", "x"}, "sub sends no packet of that kind"},
  };
  for (const auto& [executable, arguments, words] : table) {
    const Result result = run(tool(executable, broker_->port(), arguments));
    EXPECT_EQ(result.status, 2) << result.report;
    EXPECT_NE(result.err.find(words), std::string::npos) << words << "\n" << result.report;
  }
}

}  // namespace
}  // namespace sistem::test
