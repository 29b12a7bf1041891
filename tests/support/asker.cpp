// Asks for a password and shows the answer backwards, so that a test can tell it from what the terminal echoed.
#include <unistd.h>

#include <algorithm>

#include "common/options/secret.hpp"
#include "common/process/output.hpp"
#include "common/process/tool.hpp"

int main() {
  using namespace sistem;
  run_tool("asker", [](Console& /*console*/, const std::stop_token& stop) {
    Output output{STDOUT_FILENO, stop};
    auto answer = ask_secret("Password: ", stop);
    if (!answer) {
      output.write("no answer\n");
      output.flush();
      return ExitStatus::failure;
    }
    std::reverse(answer->begin(), answer->end());
    output.write("answer: <" + *answer + ">\n");
    output.flush();
    return ExitStatus::success;
  });
}
