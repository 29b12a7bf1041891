// What tests/bench/peers measures with. Where it must be fast or exact it is here and not in Python: the other ends of
// the clients, the start and end of processes, lines that carry the time. No library of MQTT is in it.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/lines.hpp"
#include "tests/bench/mqtt_ends.hpp"
#include "tests/bench/stopwatch.hpp"

namespace sistem::bench {
namespace {

constexpr std::string_view usage = R"(gauge: what tests/bench/peers measures with; each prints JSON

  gauge run [--stdin FILE] [--lines N [--pause SECONDS]] [--patience SECONDS] [--limit SECONDS] -- COMMAND...
  gauge oneshots N -- COMMAND...
  gauge acknowledge [--port P] [--arrivals]                                    an end that takes and acknowledges
  gauge send --messages N [--port P] [--size B] [--qos Q] [--json-payload]     an end that sends after SUBSCRIBE
  gauge publish --port P --messages N [--size B] [--qos Q] [--topic NAME]      a client that floods a broker
  gauge take --port P --messages N [--patience SECONDS]                        a client that counts what bench/# brings
  gauge lines --count N [--size B]
  gauge feed --rate R --seconds S
  gauge collect --count N [--skip N] [--patience SECONDS]
)";

class WrongUsage : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The words after the command's name: options with their values, a number, and after -- a command line.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words) {
    for (std::size_t at = 0; at < words.size(); ++at) {
      const std::string& word = words[at];
      if (word == "--") {
        command_.assign(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
        return;
      }
      if (word == "--arrivals" || word == "--json-payload") {
        values_[word] = "";
      } else if (word.rfind("--", 0) == 0 && at + 1 < words.size()) {
        values_[word] = words[++at];
      } else {
        values_[""] = word;
      }
    }
  }

  bool has(const std::string& name) { return take(name).has_value(); }
  std::string text(const std::string& name, const std::string& otherwise) { return take(name).value_or(otherwise); }

  template <typename Number>
  Number number(const std::string& name, std::optional<Number> otherwise = std::nullopt) {
    const auto text = take(name);
    if (!text) {
      return otherwise ? *otherwise : throw WrongUsage(fmt::format("{} is wanted", name.empty() ? "a number" : name));
    }
    Number value{};
    const char* const end = text->data() + text->size();
    if (std::from_chars(text->data(), end, value).ptr != end || value < Number{}) {
      throw WrongUsage(fmt::format("{}: expected a number, got \"{}\"", name, *text));
    }
    return value;
  }

  [[nodiscard]] std::vector<std::string> command() const {
    return command_.empty() ? throw WrongUsage("a command is wanted after --") : command_;
  }

  /// When all that is known has been taken.
  void end() const {
    if (!values_.empty()) {
      throw WrongUsage(fmt::format("unknown: {} {}", values_.begin()->first, values_.begin()->second));
    }
  }

 private:
  std::optional<std::string> take(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      return std::nullopt;
    }
    std::string value = found->second;
    values_.erase(found);
    return value;
  }

  std::map<std::string, std::string> values_;
  std::vector<std::string> command_;
};

Flood flood(Words& words) {
  Flood read;
  read.messages = words.number<int>("--messages");
  read.size = words.number<int>("--size", 64);
  read.qos = words.number<int>("--qos", 0);
  read.json = words.has("--json-payload");
  read.topic = words.text("--topic", "bench");
  if (read.qos > 2 || read.topic.size() > 1000) {
    throw WrongUsage("--qos is 0, 1 or 2, and --topic short");
  }
  return read;
}

void run(const std::string& name, Words words) {
  if (name == "run") {
    Run asked{.command = words.command()};
    asked.input = words.text("--stdin", "");
    asked.lines = words.number<int>("--lines", 0);
    asked.pause = words.number<double>("--pause", 0);
    asked.patience = words.number<double>("--patience", asked.patience);
    asked.limit = words.number<double>("--limit", asked.limit);
    words.end();
    time_run(asked);
  } else if (name == "oneshots") {
    const int times = words.number<int>("");
    words.end();
    time_one_shots(words.command(), times);
  } else if (name == "acknowledge") {
    const int port = words.number<int>("--port", 0);
    const bool arrivals = words.has("--arrivals");
    words.end();
    acknowledge(port, arrivals);
  } else if (name == "send" || name == "publish") {
    const int port = words.number<int>("--port", name == "send" ? std::optional{0} : std::nullopt);
    const Flood asked = flood(words);
    words.end();
    name == "send" ? send(port, asked) : publish(port, asked);
  } else if (name == "take") {
    const int port = words.number<int>("--port");
    const int messages = words.number<int>("--messages");
    const double patience = words.number<double>("--patience", default_patience);
    words.end();
    take(port, messages, patience);
  } else if (name == "lines") {
    const auto count = words.number<std::int64_t>("--count");
    const int size = words.number<int>("--size", 64);
    words.end();
    write_lines(count, size);
  } else if (name == "feed") {
    const double rate = words.number<double>("--rate");
    const double seconds = words.number<double>("--seconds");
    words.end();
    feed(rate, seconds);
  } else if (name == "collect") {
    const auto count = words.number<std::int64_t>("--count");
    const auto skip = words.number<std::int64_t>("--skip", 0);
    const double patience = words.number<double>("--patience", default_patience);
    words.end();
    collect(count, skip, patience);
  } else {
    throw WrongUsage(fmt::format("no such command: {}", name));
  }
}

}  // namespace
}  // namespace sistem::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.empty() || words.front() == "--help") {
      fmt::print("{}", sistem::bench::usage);
      return words.empty() ? 2 : 0;
    }
    sistem::bench::run(words.front(), sistem::bench::Words{{words.begin() + 1, words.end()}});
    return 0;
  } catch (const sistem::bench::WrongUsage& problem) {
    fmt::print(stderr, "gauge: {} (see gauge --help)\n", problem.what());
    return 2;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "gauge: {}\n", problem.what());
    return 1;
  }
}
