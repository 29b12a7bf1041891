#include "pub/source/template.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>

#include "common/process/error.hpp"
#include "common/text/words.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// A world of the test's own.
TemplateWorld world() {
  return {.seed = 7,
          .purpose = "payload",
          .client = 3,
          .process = 4711,
          .host = "lab",
          .variable = [](const std::string& name) -> std::optional<std::string> {
            return name == "ROOM" ? std::optional<std::string>("attic") : std::nullopt;
          },
          .readings = {"cpu", "suhu"},
          .reading = [](const std::string& name) { return name == "cpu" ? "12.5" : "28.0"; }};
}

/// 2026-11-25T09:30:00.123456789Z, a quarter of a minute after the first message.
const Occasion occasion{42, 15s, std::chrono::system_clock::time_point{1795599000s + 123456789ns}};

std::string rendered(const std::string& text, const TemplateWorld& in = world()) {
  return Template{text, in}.render(occasion);
}

/// What so many messages of a template are, as numbers.
std::vector<double> numbers(const std::string& text, int count, std::uint64_t seed = 7) {
  TemplateWorld in = world();
  in.seed = seed;
  Template made{text, in};
  std::vector<double> all;
  for (int number = 1; number <= count; ++number) {
    all.push_back(std::stod(made.render({static_cast<std::uint64_t>(number), std::chrono::seconds(number - 1)})));
  }
  return all;
}

std::string joined(const std::string& text, int count) {
  Template made{text, world()};
  std::string all;
  for (int number = 1; number <= count; ++number) {
    all +=
        (all.empty() ? "" : " ") + made.render({static_cast<std::uint64_t>(number), std::chrono::seconds(number - 1)});
  }
  return all;
}

double mean(const std::vector<double>& all) {
  double sum = 0;
  for (const double one : all) {
    sum += one;
  }
  return sum / static_cast<double>(all.size());
}

double deviation(const std::vector<double>& all) {
  const double middle = mean(all);
  double sum = 0;
  for (const double one : all) {
    sum += (one - middle) * (one - middle);
  }
  return std::sqrt(sum / static_cast<double>(all.size()));
}

struct Sample {
  const char* text;
  const char* gives;
};

const Sample samples[] = {
    {"", ""},
    {"{\"a\":{}}", "{\"a\":{}}"},
    {"100 %", "100 %"},
    {"100%% of %%{seq}", "100% of %{seq}"},
    {"%a %", "%a %"},
    {"%%%{seq}%%", "%42%"},
    {"%{seq}", "42"},
    {"%{seq:06}", "000042"},
    {"%{seq:+d}", "+42"},
    {"%{seq:x}", "2a"},
    {"%{seq:#06x}", "0x002a"},
    {"%{seq:.1f}", "42.0"},
    {"%{seq:*>4}", "**42"},
    {"%{time}", "2026-11-25T09:30:00.123Z"},
    {"%{unix}", "1795599000"},
    {"%{unix_ms}", "1795599000123"},
    {"%{unix_ns}", "1795599000123456789"},
    {"%{host}/%{pid}/%{client:02}", "lab/4711/03"},
    {"%{env:ROOM}", "attic"},
    {"%{pad:30}", "abcdefghijklmnopqrstuvwxyzabcd"},
    {"%{pad:0}", ""},
    {"%{rand:3..3}", "3"},
    {"%{rand:1.5..1.5}", "1.50"},
    {"%{rand:1.5..1.5:.3f}", "1.500"},
    {"%{rand:-7..-7:04}", "-007"},
    {"%{normal:28,0}", "28.00"},
    {"%{walk:20..35,0.2}", "27.50"},
    {"%{walk:-1..1,1}", "0"},
    {"%{sine:20..35,60s}", "35.00"},
    {"%{sine:20..35,1m,15s}", "27.50"},
    {"%{sine:20..35,1m,30s:.0f}", "20"},
    {"%{sine:-1..1,60000ms,15s}", "0.00"},
    {"%{sine:0..1,1h:.4f}", "0.5131"},
    {"%{sine:0.125..1,1d}", "0.5630"},
    {"%{step:0..10,1}", "0"},
    {"%{step:0.5..10,1}", "0.5"},
    {"%{cpu} %{suhu}", "12.5 28.0"},
    {"{\"n\":%{seq},\"host\":\"%{host}\"}", "{\"n\":42,\"host\":\"lab\"}"},
};

TEST(Template, GivesWhatItsPlaceholdersStandFor) {
  for (const Sample& sample : samples) {
    EXPECT_EQ(rendered(sample.text), sample.gives) << sample.text;
  }
}

const std::string all_names =
    "expected a placeholder's name (seq, time, unix, unix_ms, unix_ns, uuid, host, pid, client, env, hex, pad, pick, "
    "rand, normal, walk, sine, step, cpu, suhu) at character ";

const std::pair<std::string, std::string> wrongs[] = {
    {"%{", all_names + "3"},
    {"%{}", all_names + "3"},
    {"°%{temperature}", all_names + "4"},
    {"%{SEQ}", all_names + "3"},
    {"%{sequ}", "expected a placeholder's name at character 3; did you mean %{seq}?"},
    {"%{uid}", "expected a placeholder's name at character 3; did you mean %{uuid}?"},
    {"%{rnd:1..6}", "expected a placeholder's name at character 3; did you mean %{rand}?"},
    {"°C %{cpus}", "expected a placeholder's name at character 6; did you mean %{cpu}?"},
    {"%{seq", "expected } at character 6"},
    {"%{seq ", "expected } at character 6"},
    {"%{time:%H}", "expected } at character 7"},
    {"%{host:1}", "expected } at character 7"},
    {"%{seq:}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{seq:s}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{seq:c}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{seq:Ld}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{seq:1000}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{seq:{}}", "expected a number's format, as 06 or .3f, at character 7"},
    {"%{rand:0..1.0:d}", "expected a number's format, as 06 or .3f, at character 15"},
    {"%{env}", "expected : at character 6"},
    {"%{env:}", "expected the name of a variable at character 7"},
    {"%{env:NONE}", "expected a variable that is set, which NONE is not, at character 7"},
    {"%{hex}", "expected : at character 6"},
    {"%{hex:}", "expected a number of bytes, at most 134217727, at character 7"},
    {"%{hex:-1}", "expected a number of bytes, at most 134217727, at character 7"},
    {"%{hex:134217728}", "expected a number of bytes, at most 134217727, at character 7"},
    {"%{pad:x}", "expected a number of bytes, at most 268435455, at character 7"},
    {"%{pad:8", "expected } at character 8"},
    {"%{pad}", "expected a number of bytes as in %{pad:100}, or --size, at character 6"},
    {"%{pick}", "expected : at character 7"},
    {"%{pick:a}", "expected two choices or more, as a|b, at character 8"},
    {"%{pick:a|b", "expected } at character 11"},
    {"%{rand}", "expected : at character 7"},
    {"%{rand:}", "expected a range LOW..HIGH at character 8"},
    {"%{rand:1}", "expected .. at character 9"},
    {"%{rand:1-6}", "expected .. at character 9"},
    {"%{rand:1.5}", "expected .. at character 11"},
    {"%{rand:1..}", "expected the range's higher end at character 11"},
    {"%{rand:1..x}", "expected the range's higher end at character 11"},
    {"%{rand:6..1}", "expected a higher end that is not below the lower one at character 11"},
    {"%{rand:1..6,2}", "expected } at character 12"},
    {"%{rand:0..1234567890123456}", "expected a number of at most 15 digits at character 11"},
    {"%{normal:}", "expected the mean and sigma, as 28,0.5, at character 10"},
    {"%{normal:28}", "expected , at character 12"},
    {"%{normal:28,}", "expected sigma at character 13"},
    {"%{normal:28,-1}", "expected a sigma that is not below 0 at character 13"},
    {"%{walk:20..35}", "expected , at character 14"},
    {"%{walk:20..35,}", "expected the size of a step at character 15"},
    {"%{walk:20..35,0}", "expected a step above 0 that fits into the range at character 15"},
    {"%{walk:20..35,16}", "expected a step above 0 that fits into the range at character 15"},
    {"%{sine:20..35}", "expected , at character 14"},
    {"%{sine:20..35,}", "expected a period as 500ms, 60s, 5m, 24h or 1d at character 15"},
    {"%{sine:20..35,0s}", "expected a period above 0 at character 15"},
    {"%{sine:20..35,-1s}", "expected a period as 500ms, 60s, 5m, 24h or 1d at character 15"},
    {"%{sine:20..35,1y}", "expected } at character 16"},
    {"%{sine:20..35,1m,x}", "expected a time as 15s at character 18"},
    {"%{step:0..10}", "expected , at character 13"},
    {"%{step:0..10,-1}", "expected a step above 0 that fits into the range at character 14"},
    {"%{step:1..123456789012345,0.1}", "expected numbers of at most 15 digits together at character 8"},
};

TEST(Template, SaysAtWhichCharacterItIsWrong) {
  for (const auto& [text, complaint] : wrongs) {
    try {
      (void)Template{text, world()};
      ADD_FAILURE() << "took " << text;
    } catch (const Expected& expected) {
      EXPECT_EQ(expected.what(), complaint) << text;
    }
  }
}

TEST(Template, AFaultIsWhatWasExpected) {
  TemplateWorld in = world();
  EXPECT_EQ(fault_of_template("%{env:ROOM} %{cpu} %{seq}", in), std::nullopt);
  EXPECT_EQ(fault_of_template("%{seq", in), "} at character 6");
  in.size = 10;
  EXPECT_EQ(fault_of_template("%{pad}", in), std::nullopt);
  EXPECT_EQ(fault_of_template("%{pad}%{pad}", in), "one %{pad} only at character 9");
}

TEST(Template, TellsWhichReadingsItNeeds) {
  EXPECT_EQ((Template{"%{suhu} %{seq}", world()}.readings()), std::vector<std::string>{"suhu"});
  EXPECT_TRUE((Template{"%{seq}", world()}.readings()).empty());
}

TEST(Template, SizeIsFilledUpAtTheEndOrWhereItSays) {
  TemplateWorld in = world();
  in.size = 10;
  EXPECT_EQ(rendered("n=%{seq} ", in), "n=42 abcde");
  EXPECT_EQ(rendered("{%{pad}}%{seq}", in), "{abcdef}42");
  EXPECT_EQ(rendered("%{seq}%{pad}", in), "42abcdefgh");
  EXPECT_EQ(rendered("%{pad:10}", in), "abcdefghij");
  EXPECT_EQ(rendered("%{pad:10}%{pad}", in), "abcdefghij");
}

TEST(Template, MoreThanItsSizeIsToldWithTheMessage) {
  TemplateWorld in = world();
  in.size = 10;
  try {
    (void)rendered("%{pad:11}", in);
    ADD_FAILURE() << "was longer than its size";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "--size: the template gives 11 bytes at message 42, more than 10");
  }
}

// Golden bytes: other ones on another machine, or after a change, are a defect.
TEST(Template, TheSameSeedGivesTheSameBytesEverywhere) {
  const Sample golden[] = {
      {"%{rand:1..6}", "4 5 1 1"},
      {"%{rand:0..1.0:.17g}", "0.33127099259977499 0.59736575291339367 0.10623410286889734 0.82593425148283606"},
      {"%{rand:-999999999999999..999999999999999}", "417327586370237 150537039565807 384711116063864 338835627460553"},
      {"%{normal:28,0.5:.6f}", "27.700030 27.738043 27.897960 28.607487"},
      {"%{walk:20..35,5.0:.17g}", "27.5 27.695697642563413 23.177558874096913 23.306784298650392"},
      {"%{walk:0..10,3}", "5 2 3 4"},
      {"%{sine:20..35,7s:.6f}", "27.500000 33.363736 34.811959 30.754128"},
      {"%{hex:9}", "64ae9d69fe34f9aab2 b3de5b47680dfe5884 32dd138eac144a3d8c dae6631b75e08a163e"},
      {"%{uuid}",
       "f01154bd-9d6d-4bf6-8ec4-4ca0c3c53fad 3a4c74d7-5981-4ea0-9da7-42d873fd6834 efa3791d-71f1-4a22-9a75-6b6d55b873cf "
       "db028271-0324-4e42-9412-1c927f80ec69"},
      {"%{pick:a|b|c}", "a b a b"},
  };
  for (const Sample& sample : golden) {
    EXPECT_EQ(joined(sample.text, 4), sample.gives) << sample.text;
  }
}

TEST(Template, AnotherSeedClientOrPurposeGivesOthers) {
  std::set<std::string> all;
  for (const std::uint64_t seed : {0U, 1U, 2U, 7U}) {
    for (const std::uint64_t client : {1U, 2U}) {
      for (const char* purpose : {"topic", "payload"}) {
        TemplateWorld in = world();
        in.seed = seed;
        in.client = client;
        in.purpose = purpose;
        all.insert(rendered("%{uuid}", in));
      }
    }
  }
  EXPECT_EQ(all.size(), 16U);
}

TEST(Template, ANewPlaceholderChangesNoOther) {
  const std::string alone = rendered("%{hex:8}");
  EXPECT_EQ(rendered("%{hex:8} %{uuid}").substr(0, 16), alone);
  EXPECT_TRUE(rendered("%{uuid} %{rand:1..6} %{hex:8}").ends_with(alone));
  const std::string twice = rendered("%{hex:8}%{hex:8}");
  EXPECT_EQ(twice.substr(0, 16), alone);
  EXPECT_NE(twice.substr(16), alone) << "two that are alike are two";
  EXPECT_EQ(std::stod(rendered("%{rand:0..1.0}")), std::stod(rendered("%{rand:0..1.0:.2f}"))) << "whatever the format";
}

TEST(Template, UuidsAreOfVersion4) {
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  Template made{"%{uuid}", world()};
  std::set<std::string> all;
  for (int count = 0; count < 100; ++count) {
    const std::string one = made.render(occasion);
    EXPECT_TRUE(std::regex_match(one, uuid)) << one;
    all.insert(one);
  }
  EXPECT_EQ(all.size(), 100U);
}

TEST(Template, PickTakesEachChoiceAboutAsOften) {
  Template made{"%{pick:a|b%|c||%}%%d}", world()};
  std::map<std::string, int> counts;
  for (int count = 0; count < 4000; ++count) {
    ++counts[made.render(occasion)];
  }
  ASSERT_EQ(counts.size(), 4U);
  for (const char* choice : {"a", "b|c", "", "}%d"}) {
    EXPECT_NEAR(counts[choice], 1000, 100) << choice;
  }
}

TEST(Generator, RandIsEvenFromTheFirstToTheLast) {
  std::map<double, int> counts;
  for (const double number : numbers("%{rand:1..6}", 6000)) {
    ++counts[number];
  }
  ASSERT_EQ(counts.size(), 6U);
  for (int face = 1; face <= 6; ++face) {
    EXPECT_NEAR(counts[face], 1000, 100) << face;
  }
  const auto real = numbers("%{rand:-1.0..3:.9f}", 10000);
  EXPECT_GE(*std::min_element(real.begin(), real.end()), -1);
  EXPECT_LE(*std::max_element(real.begin(), real.end()), 3);
  EXPECT_NEAR(mean(real), 1, 0.05);
  EXPECT_NEAR(deviation(real), 4 / std::sqrt(12.0), 0.05);
}

TEST(Generator, NormalHasItsMeanItsSigmaAndItsTails) {
  const auto all = numbers("%{normal:28,0.5:.9f}", 20000);
  EXPECT_NEAR(mean(all), 28, 0.02);
  EXPECT_NEAR(deviation(all), 0.5, 0.02);
  const auto beyond = [&](double sigmas) {
    return static_cast<double>(
               std::count_if(all.begin(), all.end(), [&](double one) { return std::abs(one - 28) > sigmas * 0.5; })) /
           static_cast<double>(all.size());
  };
  EXPECT_NEAR(beyond(1), 0.3173, 0.01);
  EXPECT_NEAR(beyond(2), 0.0455, 0.005);
  EXPECT_NEAR(beyond(3), 0.0027, 0.0015);
}

TEST(Generator, WalkMovesByItsStepAtMostAndStaysBetweenItsEnds) {
  const auto all = numbers("%{walk:20..22,0.5:.9f}", 5000);
  for (std::size_t at = 0; at < all.size(); ++at) {
    EXPECT_GE(all[at], 20);
    EXPECT_LE(all[at], 22);
    EXPECT_LE(at == 0 ? 0 : std::abs(all[at] - all[at - 1]), 0.500000001);
  }
  EXPECT_LT(*std::min_element(all.begin(), all.end()), 20.1) << "it gets to its ends";
  EXPECT_GT(*std::max_element(all.begin(), all.end()), 21.9);
}

TEST(Generator, SineIsThatOfTheCLibrary) {
  Template made{"%{sine:-1..1,60s:.15f}", world()};
  for (int second = 0; second < 180; ++second) {
    const double value = std::stod(made.render({1, std::chrono::seconds(second)}));
    EXPECT_NEAR(value, std::sin(2 * M_PI * second / 60), 1e-14) << second;
  }
}

TEST(Generator, StepsAreExactAndBeginAgain) {
  EXPECT_EQ(joined("%{step:0..3,1}", 6), "0 1 2 3 0 1");
  EXPECT_EQ(joined("%{step:0..0.5,0.1}", 7), "0.0 0.1 0.2 0.3 0.4 0.5 0.0");
  EXPECT_EQ(joined("%{step:-1..1,0.75}", 4), "-1.00 -0.25 0.50 -1.00");
}

TEST(TemplateWorld, IsThatOfThisProcess) {
  const TemplateWorld here = this_world();
  EXPECT_GT(here.process, 1);
  EXPECT_FALSE(here.host.empty());
  EXPECT_EQ(here.variable("PATH"), std::getenv("PATH"));
  EXPECT_EQ(here.variable("NO_SUCH_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace sistem
