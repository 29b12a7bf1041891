// The report as its readers get it: in a browser, in both languages and themes, on a desk and on a phone.
#include "tests/integration/explained.hpp"
#include "tests/support/browser.hpp"
#include "tests/support/expect.hpp"

namespace sistem::test {
namespace {

using Strings = std::vector<std::string>;

class Page : public Explained {
 protected:
  void SetUp() override {
    Explained::SetUp();
    NEEDS_BROWSER();
  }
  void look(const std::string& language);

  Browser browser_;
};

/// How bright a picture is on the average, from 0 to 1, by netpbm.
double brightness(const std::filesystem::path& picture) {
  const Strings lines = lines_of_output(
      {.command = {"sh", "-c", R"(set -e; pngtopnm -quiet "$0" | ppmtopgm -quiet | pamsumm -mean -normalize -brief)",
                   picture},
       .environment = {},
       .directory = {}});
  return std::stod(lines.at(0));
}

/// The text of the page that is hard to read: with less contrast to its background than WCAG 2.2 wants (1.4.3, level
/// AA; the page has no large text that might have less). One line each.
const char* const faint_text = R"((() => {
  const channels = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const background = element => {
    for (; element; element = element.parentElement) {
      const colour = channels(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const opacity = element => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || element.closest('style, title')) continue;
    const behind = background(element);
    const seen = opacity(element);
    const ink = channels(element.closest('svg') ? style.fill : style.color).slice(0, 3)
        .map((c, at) => c * seen + behind[at] * (1 - seen));
    const [light, dark] = [luminance(ink), luminance(behind)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (!(contrast >= 4.5)) faint.add(`${contrast.toFixed(2)} ${element.tagName}.${element.className?.baseVal ?? element.className}: ${node.data.trim()}`);
  }
  return [...faint].join('\n');
})())";

/// What sticks out of the window to the right or to the left, and is not in a box that scrolls by itself.
const char* const what_sticks_out = R"([...document.body.querySelectorAll('*')].filter(element => {
  const {left, right, width} = element.getBoundingClientRect();
  return width && !element.closest('.wide, .skip, .hidden') && (left < -0.5 || right > document.documentElement.clientWidth + 0.5);
}).map(element => element.outerHTML.slice(0, 120)).join('\n'))";

/// Links within the page that lead nowhere.
const char* const dead_links = R"([...document.querySelectorAll('a')].filter(
  link => !link.hash || !document.getElementById(link.hash.slice(1))).map(link => link.outerHTML).join('\n'))";

/// The findings, and the tables row by row: what both forms of the report must have the same.
const char* const findings_and_tables = R"(JSON.stringify([
  [...document.querySelectorAll('#findings li, body > ul li')].map(item => {
    item.querySelectorAll('.hidden').forEach(each => each.remove());
    return item.textContent.replace(/^! /, '').trim();
  }),
  [...document.querySelectorAll('table')].map(table => [...table.rows].map(
    row => [...row.cells].map(cell => cell.textContent.trim().replace(/\s+/g, ' '))))], null, 1))";

/// Records a conversation and looks at its report.
void Page::look(const std::string& language) {
  Broker broker{"allow_anonymous true\nset_tcp_nodelay true\n"};
  record(broker);
  const auto subscriber = subscribed(broker, {"-t", "room/#", "-q", "1", "-i", "reader", "-C", "60"});
  std::string messages;
  for (int message = 0; message < 60; ++message) {
    messages +=
        fmt::format(R"({{"topic":"room/{}","payload":"{}","qos":{},"delay":0.01}})"
                    "\n",
                    (message % 3 == 0 ? "temperature" : "humidity"), std::string(1 + message % 20, 'x'), message % 2);
  }
  expect_success(run(pub(broker, {"--jsonl", "-i", "sensor"}), messages));
  EXPECT_EQ(subscriber->wait(), 0) << subscriber->report();
  // What comes from the wire is text, whatever it looks like.
  expect_success(run(pub(broker, {"-t", "<img src=x onerror=alert(1)>", "-m", "<script>alert(2)</script>", "-q", "1",
                                  "-i", "<script>alert(3)</script>"})));
  broker.stop();
  stop_recording();

  const std::size_t frames = Wire{file_, broker.port()}.all([](const Seen&) { return true; }).size();
  const Findings told = findings(broker.port(), {"--lang", language});
  EXPECT_FALSE(told.wrong().empty()) << "a topic has no subscriber";
  browser_.resize(1280, 900);
  browser_.open(folder_ / "report.html");
  EXPECT_EQ(browser_.complaints(), Strings{});
  EXPECT_EQ(browser_.requests().size(), 1U) << "one file, with nothing from outside";
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('script, link, [src], object, iframe').length"), "0");
  EXPECT_EQ(browser_.evaluate("document.documentElement.lang"), language);
  EXPECT_EQ(browser_.evaluate(dead_links), "");

  const std::string text = browser_.evaluate("document.body.innerText");
  for (const std::string& line : told.lines()) {
    expect_in(text, line.substr(2));
  }
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#findings li.wrong').length"),
            std::to_string(std::count_if(told.lines().begin(), told.lines().end(),
                                         [](const std::string& line) { return line.starts_with("! "); })));
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#frames tr[id]').length"), std::to_string(frames));
  expect_in(text, language == "en" ? "By topic" : "Per topik");

  // The ladder: both layers, each in its colour, both ways; what repeats is folded.
  for (const char* arrow : {".tcp.right", ".tcp.left", ".mqtt.right", ".mqtt.left"}) {
    EXPECT_NE(browser_.evaluate(fmt::format("document.querySelectorAll('#ladder .arrow{}').length", arrow)), "0");
  }
  EXPECT_NE(browser_.evaluate("getComputedStyle(document.querySelector('#ladder .arrow.tcp')).color"),
            browser_.evaluate("getComputedStyle(document.querySelector('#ladder .arrow.mqtt')).color"));
  EXPECT_NE(browser_.evaluate("document.querySelectorAll('#ladder .fold').length"), "0");
  EXPECT_LT(std::stoul(browser_.evaluate("document.querySelectorAll('#ladder li').length")), frames / 2);

  // The charts have something in them, and words of the page's language around it.
  const std::string svgs = "[...document.querySelectorAll('#charts figure svg')]";
  EXPECT_EQ(browser_.evaluate(svgs + ".length"), "3");
  EXPECT_EQ(browser_.evaluate(svgs + ".filter(svg => svg.getBoundingClientRect().height > 100 && "
                                     "svg.querySelectorAll('path, use, circle, rect, polygon').length > 5).length"),
            "3");
  expect_in(browser_.evaluate(svgs + ".map(svg => svg.textContent).join()"),
            language == "en" ? "seconds since the first frame" : "detik sejak frame pertama");

  // By keyboard: the first stop jumps over what is above, and shows itself.
  browser_.press("Tab");
  EXPECT_EQ(browser_.evaluate("document.activeElement.className"), "skip");
  EXPECT_EQ(browser_.evaluate("document.activeElement.getBoundingClientRect().left >= 0"), "true");
  browser_.press("Enter");
  EXPECT_EQ(browser_.evaluate("location.hash"), "#findings");

  for (const auto& [device, width] : {std::pair{"desk", 1280}, {"phone", 390}}) {
    browser_.resize(width, 844);
    std::vector<double> seen;
    for (const std::string theme : {"light", "dark"}) {
      browser_.prefer(theme);
      EXPECT_EQ(browser_.evaluate(faint_text), "") << theme;
      const std::string name = fmt::format("{}-{}-{}", language, theme, device);
      const auto picture = folder_ / (name + ".png");
      browser_.screenshot(picture, 2500);
      browser_.screenshot(folder_ / (name + "-charts.png"), 2500, "charts");
      seen.push_back(brightness(picture));
    }
    EXPECT_GT(seen.at(0), 0.7);
    EXPECT_LT(seen.at(1), 0.3);
  }
  for (const int width : {390, 320}) {
    browser_.resize(width, 844);
    EXPECT_EQ(browser_.evaluate("innerWidth"), std::to_string(width));
    EXPECT_EQ(browser_.evaluate("document.documentElement.scrollWidth"), std::to_string(width));
    EXPECT_EQ(browser_.evaluate(what_sticks_out), "") << width;
  }

  // The report in Markdown says the same.
  browser_.resize(1280, 900);
  browser_.open(folder_ / "report.html");
  const std::string said = browser_.evaluate(findings_and_tables);
  ASSERT_GT(said.size(), 10'000U);
  const Strings rendered = lines_of_output(
      {.command = {"cmark-gfm", "--extension", "table", folder_ / "report.md"}, .environment = {}, .directory = {}});
  std::ofstream(folder_ / "markdown.html") << "<!doctype html><meta charset='utf-8'><title>report.md</title>"
                                           << fmt::format("{}", fmt::join(rendered, "\n"));
  browser_.open(folder_ / "markdown.html");
  EXPECT_EQ(browser_.evaluate(findings_and_tables), said);
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('script, img').length"), "0");
  EXPECT_EQ(browser_.evaluate("[...document.querySelectorAll('p, li, h1, h2, h3, td, th')].filter("
                              "element => /\\*\\*|\\|--/.test(element.innerText)).length"),
            "0")
      << "marks that were not understood";
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('pre').length"), "1") << "the ladder in letters";
}

TEST_F(Page, ShowsTheConversationInEnglish) { look("en"); }
TEST_F(Page, ShowsTheConversationInIndonesian) { look("id"); }

// That all this may fail.
TEST_F(Page, WhatIsWrongWithAPageIsSeen) {
  const auto page = folder_ / "page.html";
  std::ofstream(page) << R"(<!doctype html><html><head><meta name="viewport" content="width=device-width"></head>
    <body style="margin: 0; background: white"><p style="width: 600px; color: #aaa">faint</p><img src="missing.png">
    <a href="#nowhere">nowhere</a><script>console.error("complains"); no_such_function();</script></body></html>)";
  browser_.resize(390, 844);
  browser_.open(page);
  const std::string complaints = fmt::format("{}", fmt::join(browser_.complaints(), "\n"));
  for (const char* complaint : {"missing.png", "complains", "no_such_function"}) {
    expect_in(complaints, complaint);
  }
  EXPECT_EQ(browser_.requests().size(), 2U);
  EXPECT_EQ(browser_.evaluate("document.documentElement.scrollWidth"), "600");
  expect_in(browser_.evaluate(what_sticks_out), "faint");
  expect_in(browser_.evaluate(faint_text), "2.32 P.: faint");
  expect_in(browser_.evaluate(dead_links), "#nowhere");
  EXPECT_THROW(browser_.evaluate("no.such"), std::runtime_error);
  EXPECT_THROW(browser_.open(folder_ / "missing.html"), std::runtime_error);
}

}  // namespace
}  // namespace sistem::test
