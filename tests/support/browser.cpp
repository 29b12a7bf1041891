#include "tests/support/browser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "common/text/encoding.hpp"

namespace sistem::test {
namespace {

using Json = nlohmann::json;

/// Chromium speaks on descriptors 3 and 4; what it prints besides is for people. Nothing of it looks for the network.
Start chromium(const std::filesystem::path& profile) {
  return {.command = {"sh", "-c", R"(exec chromium "$@" 3<&0 4>&1 >&2 </dev/null)", "sh", "--headless", "--no-sandbox",
                      "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                      "--disable-component-update", "--disable-sync", "--user-data-dir=" + profile.string(),
                      "--remote-debugging-pipe", "about:blank"},
          .environment = {{"HOME", profile}, {"XDG_CONFIG_HOME", profile}, {"XDG_CACHE_HOME", profile}},
          .directory = {}};
}

}  // namespace

bool has_browser() {
  const Result result = run({.command = {"which", "chromium"}, .environment = {}, .directory = {}});
  if (result.status != 0 && std::getenv("CI") != nullptr) {
    throw std::runtime_error("chromium is not installed, and CI must not skip its tests");
  }
  return result.status == 0;
}

Browser::Browser() : process_(chromium(profile_.path())) {
  const Json targets = call("Target.getTargets");
  for (const Json& target : targets.at("targetInfos")) {
    if (target.at("type") == "page") {
      session_ =
          call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}}).at("sessionId");
      break;
    }
  }
  for (const char* domain : {"Page", "Runtime", "Log", "Network"}) {
    call(fmt::format("{}.enable", domain));
  }
}

void Browser::open(const std::filesystem::path& file) {
  loaded_ = false;
  complaints_.clear();
  requests_.clear();
  const std::string address = "file://" + std::filesystem::absolute(file).string();
  const Json answer = call("Page.navigate", {{"url", address}});
  if (answer.contains("errorText")) {
    throw std::runtime_error(address + ": " + answer.at("errorText").get<std::string>());
  }
  while (!loaded_) {
    heed(next_message());
  }
}

void Browser::resize(int width, int height) {
  call("Emulation.setDeviceMetricsOverride",
       {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
}

void Browser::prefer(const std::string& theme) {
  const Json feature{{"name", "prefers-color-scheme"}, {"value", theme}};
  call("Emulation.setEmulatedMedia", {{"features", Json::array({feature})}});
}

std::string Browser::evaluate(const std::string& expression) {
  const Json answer = call("Runtime.evaluate", {{"expression", "String(" + expression + ")"}});
  if (answer.contains("exceptionDetails")) {
    throw std::runtime_error(expression + ": " + answer.at("exceptionDetails").dump());
  }
  return answer.at("result").at("value");
}

void Browser::press(const std::string& key) {
  static const std::map<std::string, int> codes{{"Tab", 9},        {"Enter", 13},      {" ", 32},
                                                {"ArrowLeft", 37}, {"ArrowRight", 39}, {"Escape", 27}};
  const std::string text = key == "Enter" ? "\r" : key == " " ? " " : "";
  for (const char* type : {"keyDown", "keyUp"}) {
    call("Input.dispatchKeyEvent", {{"type", type},
                                    {"key", key},
                                    {"code", key == " " ? "Space" : key},
                                    {"text", text},
                                    {"windowsVirtualKeyCode", codes.at(key)}});
  }
}

void Browser::screenshot(const std::filesystem::path& file, int height, const std::string& id) {
  const double top =
      id.empty() ? 0
                 : std::stod(evaluate("scrollY + document.getElementById('" + id + "').getBoundingClientRect().top"));
  const Json page = call("Page.getLayoutMetrics").at("cssContentSize");
  const double rest = page.at("height").get<double>() - top;
  const Json clip{
      {"x", 0}, {"y", top}, {"width", page.at("width")}, {"height", std::min<double>(height, rest)}, {"scale", 1}};
  const Json answer = call("Page.captureScreenshot", {{"captureBeyondViewport", true}, {"clip", clip}});
  std::ofstream(file, std::ios::binary) << bytes_of_base64(answer.at("data").get<std::string>()).value();
}

Json Browser::call(const std::string& method) { return call(method, Json::object()); }

Json Browser::call(const std::string& method, const Json& parameters) {
  Json request{{"id", ++calls_}, {"method", method}, {"params", parameters}};
  if (!session_.empty()) {
    request["sessionId"] = session_;
  }
  process_.write(request.dump() + '\0');
  for (;;) {
    const Json message = next_message();
    if (message.value("id", 0) != calls_) {
      heed(message);
    } else if (message.contains("error")) {
      throw std::runtime_error(method + ": " + message.at("error").dump());
    } else {
      return message.at("result");
    }
  }
}

Json Browser::next_message() {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::size_t end = std::string::npos;
  while ((end = process_.out().find('\0', taken_)) == std::string::npos) {
    if (std::chrono::steady_clock::now() >= deadline || process_.ended()) {
      throw std::runtime_error("chromium says nothing\n" + process_.err());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    process_.poll_output();
  }
  const std::string message = process_.out().substr(taken_, end - taken_);
  taken_ = end + 1;
  return Json::parse(message);
}

void Browser::heed(const Json& event) {
  const std::string& method = event.at("method").get_ref<const std::string&>();
  const Json& what = event.at("params");
  if (method == "Page.loadEventFired") {
    loaded_ = true;
  } else if (method == "Network.requestWillBeSent") {
    requests_.push_back(what.at("request").at("url"));
  } else if (method == "Log.entryAdded") {
    complaints_.push_back(what.at("entry").at("text").get<std::string>() + " " + what.at("entry").value("url", ""));
  } else if (method == "Runtime.exceptionThrown") {
    complaints_.push_back(what.at("exceptionDetails").dump());
  } else if (method == "Runtime.consoleAPICalled" && (what.at("type") == "error" || what.at("type") == "warning")) {
    complaints_.push_back(what.at("args").dump());
  }
}

}  // namespace sistem::test
