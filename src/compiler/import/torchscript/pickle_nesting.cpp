#include "compiler/import/torchscript/pickle_nesting.h"

#include <unordered_map>

#include "base/fail.h"

namespace octavo::torchscript {
namespace {

/// The container that `value` points to; nullptr for anything else.
const void* container_of(const Value& value) {
  if (List* const* list = std::get_if<List*>(&value)) return *list;
  if (Dict* const* dict = std::get_if<Dict*>(&value)) return *dict;
  if (Object* const* object = std::get_if<Object*>(&value)) return *object;
  return nullptr;
}

std::vector<const Value*> children_of(const Value& value) {
  std::vector<const Value*> children;
  if (List* const* list = std::get_if<List*>(&value)) {
    for (const Value& item : (*list)->items) children.push_back(&item);
  } else if (Dict* const* dict = std::get_if<Dict*>(&value)) {
    for (const auto& [key, item] : (*dict)->items) {
      children.push_back(&key);
      children.push_back(&item);
    }
  } else if (Object* const* object = std::get_if<Object*>(&value)) {
    for (const auto& [name, item] : (*object)->attributes) children.push_back(&item);
    children.push_back(&(*object)->state);
  }
  return children;
}

struct Visit {
  const void* container;
  std::vector<const Value*> children;
  std::size_t next = 0;
  int height = 0;  ///< of the tallest child seen so far
};

}  // namespace

void check_nesting(const Value& root) {
  constexpr int kOpen = -1;
  std::unordered_map<const void*, int> heights;  // kOpen while its children are being looked at
  std::vector<Visit> path;
  const auto enter = [&](const Value& value) {
    const void* container = container_of(value);
    if (container == nullptr) return;
    const auto [found, is_new] = heights.try_emplace(container, kOpen);
    if (!is_new && found->second == kOpen) fail(ErrorCode::invalid_model, "pickle has a reference cycle");
    if (is_new) {
      path.push_back({container, children_of(value)});
    } else if (!path.empty()) {
      path.back().height = std::max(path.back().height, found->second);
    }
    const int height = is_new ? 0 : found->second;
    if (static_cast<int>(path.size()) + height > kDeepestNesting) {
      fail(ErrorCode::invalid_model, "pickle nests deeper than {}", kDeepestNesting);
    }
  };
  enter(root);
  while (!path.empty()) {
    Visit& visit = path.back();
    if (visit.next < visit.children.size()) {
      enter(*visit.children[visit.next++]);
      continue;
    }
    const int height = visit.height + 1;
    heights[visit.container] = height;
    path.pop_back();
    if (!path.empty()) path.back().height = std::max(path.back().height, height);
  }
}

}  // namespace octavo::torchscript
