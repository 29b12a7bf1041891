#include "common/secret.hpp"
#include "common/option.hpp"
namespace sistem {
std::string read_secret(const std::filesystem::path&, bool) { throw Expected("expected a file"); }
}  // namespace sistem
