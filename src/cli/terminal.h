#pragma once

namespace octavo::cli {

/// Whether stdout is a terminal that shows colours: the environment's NO_COLOR and TERM=dumb say it does not.
bool stdout_shows_colours();

/// Characters in a line of the terminal behind stdout; 80 where that is unknown.
int terminal_columns();

}  // namespace octavo::cli
