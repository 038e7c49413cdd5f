#pragma once
#include <CLI/CLI.hpp>

#include "octavo/error.h"

namespace octavo::cli {

// One function per verb, each in the file of its name: declares the verb's options on `app` and what it does
// when chosen. A verb throws octavo::Error for what fails; its return value travels through ExitCode.
void add_compile(CLI::App& app);
void add_run(CLI::App& app);
void add_verify(CLI::App& app);
void add_inspect(CLI::App& app);
void add_cpu(CLI::App& app);
void add_kernels(CLI::App& app);
void add_bench(CLI::App& app);
void add_profile(CLI::App& app);
void add_demo(CLI::App& app);
void add_prepare(CLI::App& app);
void add_tune(CLI::App& app);
void add_bundle(CLI::App& app);

/// Thrown by a verb whose options make no sense, alone or together or on this machine: exit code 2.
class UsageError : public Error {
 public:
  explicit UsageError(const Error& error) : Error(error) {}
};

/// Thrown by a verb that did its work but found that something does not hold (`verify`): the process ends
/// with `code`.
struct ExitCode {
  int code = 1;
};

}  // namespace octavo::cli
