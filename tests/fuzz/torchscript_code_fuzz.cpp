#include <cstddef>
#include <cstdint>
#include <string>

#include "compiler/import/torchscript/code_library.h"
#include "compiler/import/torchscript/graph_builder.h"
#include "compiler/import/torchscript/interpreter.h"
#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

/// The smallest archive: an empty ZIP member "m/data.pkl" is all that the constructor asks for.
constexpr unsigned char kArchive[] = {
    'P', 'K', 3, 4, 20, 0, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0, 0, 0,  0, 10,  0,   0,   0,   'm', '/', 'd', 'a', 't', 'a', '.', 'p', 'k', 'l',
    'P', 'K', 1, 2, 20, 0, 20,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0, 0, 0,  0, 0,   0,   10,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0, 0, 0,  0, 'm', '/', 'd', 'a', 't', 'a', '.', 'p', 'k', 'l', 'P', 'K', 5,   6,
    0,   0,   0, 0, 1,  0, 1,   0,   56,  0,   0,   0,   40,  0,   0,   0,   0,   0};

/// Parses the text as "code/__torch__.py" and walks the forward of its class M with one image as input.
void walk(std::string_view text) {
  Archive archive(std::as_bytes(std::span(kArchive)));
  CodeLibrary code(archive);
  code.add_file("code/__torch__.py", text);
  Heap heap;
  TensorReader tensors(archive);
  GraphBuilder builder(tensors);
  Interpreter interpreter(code, heap, builder, {});
  Object& root = *heap.object("__torch__.M");
  root.attributes["child"] = heap.object("__torch__.M");
  interpreter.call_method(root, "forward", {builder.add_input("x", {3, 8, 8})});
}

}  // namespace
}  // namespace octavo::torchscript

/// Any text as a model's code: nodes or an Error, nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    octavo::torchscript::walk({reinterpret_cast<const char*>(data), size});
  } catch (const octavo::Error&) {
  } catch (const octavo::torchscript::WrongInputGuess&) {
  }
  return 0;
}
