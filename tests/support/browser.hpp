#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temporary.hpp"

namespace sistem::test {

/// Whether Chromium is installed. In CI it must be.
[[nodiscard]] bool has_browser();

/// At the start of each test that looks at a page.
#define NEEDS_BROWSER()                                                  \
  if (!::sistem::test::has_browser()) {                                  \
    GTEST_SKIP() << "chromium is not installed (tests/run installs it)"; \
  }

/// A headless Chromium with one page, led by its DevTools protocol. What it refuses or never answers is thrown as
/// std::runtime_error.
class Browser {
 public:
  Browser();

  /// Loads a file and waits until it is there with all that belongs to it.
  void open(const std::filesystem::path& file);
  /// What the console has shown as error or warning since then: exceptions, failed loads, what a script complained of.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  /// The addresses of all that was loaded since then, the file itself first.
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }

  /// The page's window, in CSS pixels.
  void resize(int width, int height);
  /// "dark" or "light": what the reader prefers.
  void prefer(const std::string& theme);
  /// The value of a JavaScript expression, as text.
  std::string evaluate(const std::string& expression);
  /// Presses a key, by its name in the DOM: "Tab", "Enter", "ArrowRight".
  void press(const std::string& key);
  /// The page from the element with this id on, or from its top, as a PNG file of so many pixels of height: also what
  /// the window does not hold.
  void screenshot(const std::filesystem::path& file, int height, const std::string& id = {});

 private:
  nlohmann::json call(const std::string& method, const nlohmann::json& parameters);
  nlohmann::json call(const std::string& method);
  nlohmann::json next_message();
  void heed(const nlohmann::json& event);

  TemporaryFolder profile_;
  Process process_;
  std::size_t taken_ = 0;  ///< of what the process has printed
  int calls_ = 0;
  std::string session_;
  bool loaded_ = false;
  std::vector<std::string> complaints_;
  std::vector<std::string> requests_;
};

}  // namespace sistem::test
