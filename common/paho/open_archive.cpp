// Used while building, where Paho C++ is a shared library and Paho C an archive, as in Debian 12: such a Paho C++ asks
// the executable first for what it calls, but the linker shows it no name that the archive's makers marked as hidden.
// This takes the mark off Paho C's public names. To be dropped with Debian 12.
//
//   open_archive ARCHIVE OPENED

#include <ar.h>
#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void fail(const std::string& why) {
  (void)std::fprintf(stderr, "open_archive: %s\n", why.c_str());
  std::exit(1);
}

/// What stands at a place of a file.
template <typename What>
What read(std::span<const char> from, std::size_t at) {
  What what;
  if (at > from.size() || from.size() - at < sizeof what) {
    fail("an archive that ends too early");
  }
  std::memcpy(&what, from.data() + at, sizeof what);
  return what;
}

/// The bits of a symbol that say who may see it; all off: everybody.
constexpr unsigned visibility = 3;

/// Opens the public names of an object file; how many there are.
int open_names(std::span<char> object) {
  const auto header = read<ElfW(Ehdr)>(object, 0);
  const auto section = [&](std::size_t index) {
    return read<ElfW(Shdr)>(object, header.e_shoff + index * header.e_shentsize);
  };
  int opened = 0;
  for (std::size_t index = 0; index < header.e_shnum; ++index) {
    const auto symbols = section(index);
    if (symbols.sh_type != SHT_SYMTAB) {
      continue;
    }
    const std::size_t names = section(symbols.sh_link).sh_offset;
    for (std::size_t at = symbols.sh_offset; at < symbols.sh_offset + symbols.sh_size; at += sizeof(ElfW(Sym))) {
      const auto symbol = read<ElfW(Sym)>(object, at);
      if (names + symbol.st_name >= object.size()) {
        fail("an archive that ends too early");
      }
      const std::string_view name = object.data() + names + symbol.st_name;
      if (name.starts_with("MQTT")) {
        object[at + offsetof(ElfW(Sym), st_other)] = static_cast<char>(symbol.st_other & ~visibility);
        ++opened;
      }
    }
  }
  return opened;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fail("expected an archive and what to call the opened one");
  }
  std::ifstream in{argv[1], std::ios::binary};
  std::string archive{std::istreambuf_iterator<char>(in), {}};
  if (!archive.starts_with(ARMAG)) {
    fail(std::string(argv[1]) + " is no archive");
  }
  int opened = 0;
  std::size_t at = SARMAG;
  while (at < archive.size()) {
    const auto member = read<ar_hdr>(archive, at);
    const std::size_t size =
        std::strtoul(std::string(std::begin(member.ar_size), std::end(member.ar_size)).c_str(), nullptr, 10);
    const std::size_t begin = at + sizeof member;
    if (size > archive.size() - begin) {
      fail("an archive that ends too early");
    }
    if (std::string_view(archive).substr(begin).starts_with(ELFMAG)) {
      opened += open_names(std::span(archive).subspan(begin, size));
    }
    at = begin + size + size % 2;
  }
  if (opened == 0) {
    fail(std::string(argv[1]) + " has none of Paho C's names");
  }
  std::ofstream out{argv[2], std::ios::binary};
  if (!(out << archive).flush()) {
    fail(std::string("cannot write ") + argv[2]);
  }
  return 0;
}
