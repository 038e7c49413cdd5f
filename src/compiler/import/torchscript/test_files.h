#pragma once
#include <zip.h>

#include <cstddef>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::torchscript {

/// For tests only: model files made by hand.

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A ZIP of the members, below the folder "m"; code deflated, the rest stored.
inline std::string zip_of(const std::map<std::string, std::string>& members) {
  zip_error_t error;
  zip_source_t* buffer = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(buffer);
  zip_t* archive = zip_open_from_source(buffer, ZIP_CREATE, &error);
  for (const auto& [name, content] : members) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const auto index = static_cast<zip_uint64_t>(zip_file_add(archive, ("m/" + name).c_str(), source, 0));
    const bool is_code = name.ends_with(".py");
    zip_set_file_compression(archive, index, is_code ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0 || zip_source_open(buffer) != 0) throw std::runtime_error("cannot make a ZIP");
  zip_source_seek(buffer, 0, SEEK_END);
  std::string content(static_cast<std::size_t>(zip_source_tell(buffer)), '\0');
  zip_source_seek(buffer, 0, SEEK_SET);
  zip_source_read(buffer, content.data(), content.size());
  zip_source_close(buffer);
  zip_source_free(buffer);
  return content;
}

// Pieces of pickles (protocol 2).

inline std::string pickled(std::string_view text) {
  return "X" + std::string{static_cast<char>(text.size()), 0, 0, 0} + std::string(text);
}
inline std::string pickled(int number) {
  const auto n = static_cast<unsigned>(number);
  return "J" + std::string{static_cast<char>(n), static_cast<char>(n >> 8U), static_cast<char>(n >> 16U),
                           static_cast<char>(n >> 24U)};
}
inline std::string pickled(const std::vector<int>& numbers) {
  std::string items = "(";
  for (int number : numbers) items += pickled(number);
  return items + "t";
}
inline std::string whole_pickle(const std::string& item) { return "\x80\x02" + item + "."; }
/// An f32 tensor in storage `key` of `elements`.
inline std::string pickled_tensor(std::string_view key, int elements, int offset,
                                  const std::vector<int>& sizes, const std::vector<int>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") + "ctorch\nFloatStorage\n" +
         pickled(key) + pickled("cpu") + pickled(elements) + "tQ" + pickled(offset) + pickled(sizes) +
         pickled(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}
/// An instance of class M of "code/__torch__.py" with the given attributes (name and value, pickled).
inline std::string pickled_module(const std::string& attributes = "") {
  return "c__torch__\nM\n)\x81}(" + attributes + "ub";
}

/// A model whose only module is of class M with this body of forward(self, x), one statement a line.
inline std::string model_with(std::string_view body, const std::string& attributes = "",
                              const std::map<std::string, std::string>& more = {}) {
  std::string code = "class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n";
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    code += "    " + std::string(body.substr(0, end)) + "\n";
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  std::map<std::string, std::string> members{{"data.pkl", whole_pickle(pickled_module(attributes))},
                                             {"code/__torch__.py", code}};
  for (const auto& [name, content] : more) members[name] = content;
  return zip_of(members);
}

}  // namespace octavo::torchscript
