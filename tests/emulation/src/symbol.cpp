// Names of kernels for messages, from the symbol table of the program (static functions are not in the dynamic one).
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "internal.hpp"

namespace orrery::emulation {
namespace {

std::string demangle(const char* name) {
  int status = 0;
  char* plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string s = status == 0 ? plain : name;
  std::free(plain);
  if (const size_t p = s.find('('); p != std::string::npos && s.rfind("(anonymous", p) != p) s.resize(p);
  return s;
}

using Symbols = std::map<uintptr_t, std::string>;

// Function symbols of one loaded object, by address in memory.
Symbols read_symbols(const char* path, uintptr_t base) {
  Symbols out;
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() < sizeof(ElfW(Ehdr))) return out;
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(bytes.data());
  if (header->e_shoff + size_t{header->e_shnum} * sizeof(ElfW(Shdr)) > bytes.size()) return out;
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(bytes.data() + header->e_shoff);
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const char* names = bytes.data() + sections[sections[i].sh_link].sh_offset;
    const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(bytes.data() + sections[i].sh_offset);
    for (size_t n = 0; n < sections[i].sh_size / sizeof(ElfW(Sym)); ++n)
      if ((symbols[n].st_info & 0xf) == STT_FUNC && symbols[n].st_value)
        out.emplace(base + symbols[n].st_value, names + symbols[n].st_name);
  }
  return out;
}

}  // namespace

std::string function_name(const void* f) {
  static std::map<std::string, Symbols> objects;
  Dl_info info{};
  if (!f || !dladdr(f, &info) || !info.dli_fname) return "kernel";
  if (info.dli_sname && info.dli_saddr == f) return demangle(info.dli_sname);

  const auto* header = static_cast<const ElfW(Ehdr)*>(info.dli_fbase);
  const uintptr_t base = header->e_type == ET_DYN ? reinterpret_cast<uintptr_t>(info.dli_fbase) : 0;
  auto [object, fresh] = objects.try_emplace(info.dli_fname);
  if (fresh) {
    object->second = read_symbols(info.dli_fname, base);
    if (object->second.empty()) object->second = read_symbols("/proc/self/exe", base);
  }
  const auto at = object->second.find(reinterpret_cast<uintptr_t>(f));
  return at == object->second.end() ? "kernel" : demangle(at->second.c_str());
}

}  // namespace orrery::emulation
