#include "cli/verbs.h"
namespace octavo::cli {
void add_demo(CLI::App& app) { app.add_subcommand("demo", "not there yet"); }
}  // namespace octavo::cli
