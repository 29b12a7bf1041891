#include "sub/show/display.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text/screen_text.hpp"

namespace sistem {
namespace {

using namespace std::chrono_literals;

/// How often a picture is drawn, and how often lines that sum up are printed.
constexpr auto picture_interval = 250ms;
constexpr auto line_interval = 1s;

/// The colours that are used: on a terminal as the environment has it, or as asked for.
Palette palette(const DisplayConfig& config, const Output& output) {
  switch (config.colour) {
    case ColourWhen::not_at_all: return Palette::none;
    case ColourWhen::always: return config.palette == Palette::many ? Palette::many : Palette::few;
    case ColourWhen::automatic: break;
  }
  return output.terminal() ? config.palette : Palette::none;
}

/// Whether messages are laid out for a person. Who has a format, asks for the bare bytes, or calls us by
/// mosquitto_sub's name wants something else.
bool for_a_person(const DisplayConfig& config, const Output& output) {
  const bool is_seen = output.terminal().has_value() && !config.drop_in;
  const bool has_form = config.format || config.json || config.hex || config.csv || config.topics;
  return (is_seen || config.colour == ColourWhen::always) && !has_form && !config.no_newline && !config.null;
}

Format form_of(const DisplayConfig& config) {
  const End end = config.no_newline || config.watch ? End::nothing : config.null ? End::nul : End::newline;
  if (config.format) {
    return {*config.format, config.pretty, end};
  }
  if (config.json) {
    return {Format::Style::json, end};
  }
  if (config.hex) {
    return {Format::Style::hex_dump, end};
  }
  if (config.csv) {
    return {Format::Style::csv, End::newline};
  }
  if (config.topics) {
    return {"%t", false, end};
  }
  return {config.verbose ? Format::Style::verbose : Format::Style::payload, end};
}

}  // namespace

Display::Display(const DisplayConfig& config, Output& output, const Console& console)
    : config_(config), output_(output), console_(console), paint_(palette(config, output)), format_(form_of(config)) {
  if (output.terminal() && !config.watch) {  // whose table does it itself
    format_.spell_out_controls();
  }
  const auto now = std::chrono::steady_clock::now();
  if (config.watch) {
    view_.emplace<Watch>();
    due_ = draws() ? now : now + line_interval;
  } else if (config.message_rate) {
    view_.emplace<MessageRate>(std::chrono::system_clock::now());
    due_ = now + line_interval;
  } else if (config.graph) {
    view_.emplace<Graph>(NumberField{*config.graph});
    due_ = draws() ? now : never;
  } else if (for_a_person(config, output)) {
    view_.emplace<TerminalLines>(paint_);
  }
}

Display::~Display() {
  try {
    if (const std::string bytes = canvas_.leave(); !bytes.empty()) {
      output_.write(bytes);
      output_.flush();
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): whatever has ended the run is told by somebody else
  }
}

/// Where pictures can be drawn. Asked each time: a terminal may be resized.
std::optional<TerminalSize> Display::screen() const {
  return config_.dumb_terminal ? std::nullopt : output_.terminal();
}

void Display::begin() {
  if (std::holds_alternative<std::monostate>(view_)) {
    output_.write(format_.heading());
    output_.flush();
  }
}

void Display::show(const Message& message) {
  if (auto* const lines = std::get_if<TerminalLines>(&view_)) {
    output_.compose([&](std::string& bytes) { lines->append(message, bytes); });
  } else if (auto* const watch = std::get_if<Watch>(&view_)) {
    std::string value = message.payload;
    if (config_.format) {
      value.clear();
      if (const auto fault = append(message, value)) {
        value = fmt::format("({})", *fault);
      }
    }
    watch->take(message, std::move(value));
  } else if (auto* const rate = std::get_if<MessageRate>(&view_)) {
    rate->take(message);
  } else if (auto* const graph = std::get_if<Graph>(&view_)) {
    const auto number = graph->take(message);
    if (number && !draws()) {
      output_.write(Graph::line(message, *number, paint_));
    }
  } else {
    output_.compose([&](std::string& bytes) {
      if (const auto fault = append(message, bytes)) {
        console_.note(fmt::format("cannot print the message on {}: {}", message.topic, *fault));
      }
    });
  }
}

std::optional<std::string_view> Display::append(const Message& message, std::string& bytes) {
  if (position_.number > 1) {
    position_.since_last = message.arrival_steady - last_arrival_;
  }
  const auto fault = format_.append(message, position_, bytes);
  if (!fault) {
    last_arrival_ = message.arrival_steady;
    ++position_.number;
  }
  return fault;
}

void Display::refresh(std::size_t waiting) {
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) {
    return;
  }
  const bool is_picture = draws() && !std::holds_alternative<MessageRate>(view_);
  const Deadline::duration interval = is_picture ? Deadline::duration{picture_interval} : line_interval;
  due_ = std::max(due_ + interval, now);  // not later for each time that the reader was slow
  update(waiting, false);
}

void Display::finish(std::size_t waiting) {
  due_ = never;
  update(waiting, true);
  output_.write(canvas_.leave());
  output_.flush();
  is_over_ = true;
}

void Display::update(std::size_t waiting, bool at_the_end) {
  auto size = screen();
  if (size) {
    size->rows -= std::min<std::size_t>(size->rows / 8, 2);  // the last notes stay in sight above the picture
  }
  const WallTime now = std::chrono::system_clock::now();
  const auto draw = [&](const auto& view) {
    if (!is_over_) {
      output_.write(canvas_.draw(view.frame(*size, paint_, now), *size));
    }
  };
  if (auto* const watch = std::get_if<Watch>(&view_)) {
    size ? draw(*watch) : output_.write(watch->changes(paint_, now));
  } else if (auto* const graph = std::get_if<Graph>(&view_); graph != nullptr && size) {
    draw(*graph);
  } else if (auto* const rate = std::get_if<MessageRate>(&view_)) {
    if (!at_the_end || rate->has_news()) {
      output_.write(config_.drop_in ? rate->bare_line(now) : rate->line(now, waiting));
    }
  }
}

}  // namespace sistem
