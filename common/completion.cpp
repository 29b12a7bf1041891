#include "common/completion.hpp"

namespace sistem {

const std::vector<std::string>& completion_shells() {
  static const std::vector<std::string> shells{"bash", "zsh", "fish"};
  return shells;
}

std::string completion_script(const std::string& shell, const std::vector<Option>& table, const ToolText& tool) {
  return shell + tool.name + table.front().name;
}

}  // namespace sistem
