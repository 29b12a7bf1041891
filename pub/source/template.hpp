#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pub/source/readings.hpp"
#include "pub/source/source.hpp"

namespace sistem {

/// What a template is made with, beside its text; the same for all messages of a run.
struct TemplateWorld {
  std::uint64_t seed = 0;    ///< of all that is random in it
  std::string purpose = {};  ///< two templates with different ones draw different numbers: "topic", "payload"
  std::uint64_t client = 1;  ///< %{client}
  std::int64_t process = 0;  ///< %{pid}
  std::string host = {};     ///< %{host}
  /// A variable of the environment, for %{env:NAME}.
  std::function<std::optional<std::string>(const std::string& name)> variable = {};
  /// Further names that may stand in %{}, and the texts that stand for them.
  std::vector<std::string> readings = {};
  std::function<std::string(const std::string& name)> reading = {};
  /// How long what it gives is to be: filled up with filler, at %{pad} or else at the end.
  std::optional<std::size_t> size = {};
};

/// The message that a template is rendered for.
struct Occasion {
  std::uint64_t number = 1;                      ///< %{seq}
  std::chrono::nanoseconds elapsed{0};           ///< how far the run's schedule has come: %{sine:...}
  std::chrono::system_clock::time_point wall{};  ///< the time of day: %{time}, %{unix}
};

/// Text with placeholders, %{seq} or %{rand:1..6}, of which each message gets a copy with others in their places. %% is
/// a percent sign, and one before anything else stays what it is.
///
/// All that is random comes from the seed. Each placeholder has numbers of its own, which depend on how it is written
/// and on how many the same are before it, so that adding one changes no other.
class Template {
 public:
  /// Compiles. Throws Expected, with the character at which something else was expected.
  Template(std::string_view text, const TemplateWorld& world);

  /// Throws UsageError where it gives more than its size.
  [[nodiscard]] std::string render(const Occasion& occasion);

  /// Those of the world's readings that stand in it.
  [[nodiscard]] const std::vector<std::string>& readings() const { return readings_; }

 private:
  friend class TemplateCompiler;
  /// Appends what stands in one place.
  using Part = std::function<void(const Occasion&, std::string& out)>;

  std::vector<Part> parts_;
  std::vector<std::string> readings_;
  std::optional<std::size_t> filler_before_;  ///< the part that %{pad} stands before
  std::optional<std::size_t> size_;
};

/// What a complaint says was expected where a text is no template in that world; nothing where it is one.
[[nodiscard]] std::optional<std::string> fault_of_template(std::string_view text, const TemplateWorld& world);

/// The host and the process of a TemplateWorld, and its environment.
[[nodiscard]] TemplateWorld this_world();

/// What a template of these options is made with; `purpose` tells it from the others. The readings of the host have
/// their names there, but no values.
[[nodiscard]] TemplateWorld world_of(const SourceConfig& config, const std::string& purpose);

/// Messages like `pattern`, each with another payload and perhaps another topic, without end. Throws UsageError where
/// what is rendered is no legal topic, or larger than it may be.
[[nodiscard]] Source generated(Template topic, Template payload, Message pattern);

/// The source that --template asks for. Readings that it names are measured again where they are older than 0.1 s; the
/// first time takes that long, since some are differences. Throws UsageError for one that this host does not have.
[[nodiscard]] Source template_source(const SourceConfig& config, Message pattern, Readings readings,
                                     const std::stop_token& stop);

}  // namespace sistem
