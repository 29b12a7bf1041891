#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/options/settings.hpp"

namespace sistem {

/// Checks what the rows say of each other, has those bring MQTT 5 that mean it, and notes whether one ends the run.
/// Throws UsageError: "--psk needs --psk-identity: the broker finds the key by its name".
void check_rules(const std::vector<Option>& table, Settings& settings);

/// Throws UsageError if both are given: "--psk and --cafile: a key that both sides know, or certificates, not both".
void check_both(const Settings& settings, const std::string& one, const std::string& other, std::string_view why);

/// Throws UsageError about the value of an option: "--host: expected a host name or an address, got "a/b"".
[[noreturn]] void refuse(const Settings& settings, const std::string& option, std::string_view what);
[[noreturn]] void refuse(const Settings& settings, const std::string& option, std::string_view expected,
                         std::string_view got);

/// The options that a rule names, and why: "--cert, --key or --psk: with TLS or without".
[[nodiscard]] std::string in_words(const Rule& rule);

}  // namespace sistem
