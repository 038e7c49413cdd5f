#pragma once
#include "octavo/session.h"

namespace octavo {

/// The package in this library's own file, which the loader has mapped. Its weights are taken from the
/// package file `weights` unless that is null. Error(invalid_argument) when the library carries no package,
/// or lacks its weights and none are given; else as Package::open.
Package attached_package(const char* weights);

}  // namespace octavo
