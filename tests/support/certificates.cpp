#include "tests/support/certificates.hpp"

#include <stdexcept>
#include <vector>

#include "tests/support/process.hpp"

namespace sistem::test {
namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  if (const Result result = run({.command = std::move(arguments)}); result.status != 0) {
    throw std::runtime_error(result.report);
  }
}

}  // namespace

Authority::Authority(const std::string& name) {
  // A configuration of our own: the system's would add extensions that a test does not ask for.
  const auto configuration = folder_.write("openssl.cnf", "[req]\ndistinguished_name = subject\n[subject]\n");
  openssl({"req", "-x509", "-config", configuration, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-days", "2", "-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE", "-keyout",
           folder_.path() / "ca.key", "-out", certificate()});
}

Authority::Pair Authority::issue(const std::string& name, const std::string& hosts,
                                 const std::string& key_password) const {
  Pair pair{folder_.path() / (name + ".pem"), folder_.path() / (name + ".key")};
  std::vector<std::string> arguments{"req",      "-x509",
                                     "-config",  folder_.path() / "openssl.cnf",
                                     "-CA",      certificate(),
                                     "-CAkey",   folder_.path() / "ca.key",
                                     "-newkey",  "ec",
                                     "-pkeyopt", "ec_paramgen_curve:P-256",
                                     "-days",    "2",
                                     "-subj",    "/CN=" + name,
                                     "-addext",  "subjectAltName=" + hosts,
                                     "-keyout",  pair.key,
                                     "-out",     pair.certificate};
  if (key_password.empty()) {
    arguments.emplace_back("-nodes");
  } else {
    arguments.insert(arguments.end(), {"-passout", "pass:" + key_password});
  }
  openssl(std::move(arguments));
  return pair;
}

std::filesystem::path Authority::hashed_directory() const {
  auto directory = folder_.path() / "hashed";
  std::filesystem::create_directory(directory);
  std::filesystem::copy_file(certificate(), directory / "ca.pem");
  openssl({"rehash", directory});
  return directory;
}

}  // namespace sistem::test
