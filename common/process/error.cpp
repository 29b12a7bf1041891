#include "common/process/error.hpp"

#include <cctype>
#include <cstring>

namespace sistem {

const std::vector<ExitMeaning>& exit_meanings() {
  static const std::vector<ExitMeaning> meanings{
      {0,
       "done: everything published was accepted, what was asked for arrived, or a signal ended a run without an end"},
      {1, "failed: reading, writing, or stopped before what was asked for was done"},
      {2, "wrong usage: command line, environment, options file or an input line"},
      {3,
       "no broker: name, route, refused connection, TLS, no answer, or stopped before there was one; or lost and not "
       "regained"},
      {4, "refused by the broker when connecting, or thrown out for good; the reason is printed"},
      {5, "a topic or a message was refused by the broker"},
      {6, "the verdict is no: what was expected (--expect), or a budget of --verify, was not kept"},
      {27, "time is up before what was asked for had arrived (-W, --idle)"},
      {128, "ended by the second signal n"},
  };
  return meanings;
}

std::string errno_words(int error) {
  std::string text = std::strerror(error);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace sistem
