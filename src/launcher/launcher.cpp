// bin/octavo of a bundle: a static program that starts lib/octavo with the bundle's own loader and libraries,
// so that nothing of the system is needed, not even a C library.
#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace {

constexpr const char* kLoader = "/lib/ld-linux-x86-64.so.2";

int complain(const char* what, const char* which) {
  std::fprintf(stderr, "octavo: %s%s\n", what, which);
  return 1;
}

/// The bundle's folder, two levels above this program; /proc may not be there.
bool find_bundle(char* path, std::size_t room) {
  const ssize_t length = ::readlink("/proc/self/exe", path, room - 1);
  if (length > 0) {
    path[length] = '\0';
  } else {
    const char* started_as = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    if (started_as == nullptr || std::strlen(started_as) >= room) return false;
    std::strcpy(path, started_as);
  }
  for (int level = 0; level < 2; ++level) {
    char* slash = std::strrchr(path, '/');
    if (slash == nullptr) {
      // Started as octavo or bin/octavo from within.
      std::strcpy(path, level == 0 ? ".." : ".");
      return true;
    }
    *slash = '\0';
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kOwnArguments = 8;
  constexpr int kMostArguments = 4096;
  static char bundle[PATH_MAX], loader[PATH_MAX + 64], libraries[PATH_MAX + 64], program[PATH_MAX + 64];
  static char* arguments[kMostArguments + kOwnArguments];

  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
    return complain("this CPU lacks SSE4.2 or POPCNT (x86-64-v2), which Octavo needs", "");
  if (!find_bundle(bundle, sizeof bundle)) return complain("where the bundle lies cannot be told", "");
  if (std::strpbrk(bundle, ":;") != nullptr)
    return complain("the loader cannot use a path with ':' or ';': ", bundle);
  if (argc > kMostArguments) return complain("too many arguments", "");
  std::snprintf(loader, sizeof loader, "%s%s", bundle, kLoader);
  std::snprintf(libraries, sizeof libraries, "%s/lib", bundle);
  std::snprintf(program, sizeof program, "%s/lib/octavo", bundle);

  int n = 0;
  static char argv0[] = "octavo", library_path[] = "--library-path", no_cache[] = "--inhibit-cache",
              name[] = "--argv0";
  for (char* own : {loader, no_cache, library_path, libraries, name, argv0, program}) arguments[n++] = own;
  for (int i = 1; i < argc; ++i) arguments[n++] = argv[i];
  ::execv(loader, arguments);
  std::fprintf(stderr, "octavo: cannot start '%s': %s\n", loader, std::strerror(errno));
  return 1;
}
