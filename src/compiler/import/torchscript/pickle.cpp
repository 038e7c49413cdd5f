#include "compiler/import/torchscript/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/fail.h"
#include "compiler/import/torchscript/pickle_globals.h"
#include "compiler/import/torchscript/pickle_nesting.h"

namespace octavo::torchscript {
namespace {

/// The opcodes of protocols 0 to 2 that TorchScript's writer uses (pickletools' names).
enum Opcode : std::uint8_t {
  kProto = 0x80,
  kStop = '.',
  kMark = '(',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinString = 'U',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobal = 'c',
  kBinPersId = 'Q',
  kNewObj = 0x81,
  kReduce = 'R',
  kBuild = 'b',
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string_view storage_folder, Heap& heap)
      : bytes_(bytes), folder_(storage_folder), heap_(heap) {}

  Value read() {
    while (true) {
      const auto opcode = take<std::uint8_t>();
      if (opcode == kStop) break;
      if (!scalar(opcode) && !container(opcode) && !memo(opcode) && !global(opcode)) {
        fail(ErrorCode::unsupported, "pickle opcode 0x{:02x} at byte {}", opcode, at_ - 1);
      }
    }
    Value result = pop();
    check_nesting(result);
    return result;
  }

 private:
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::span<const std::byte> take_bytes(std::size_t count) {
    if (count > bytes_.size() - at_) {
      fail(ErrorCode::invalid_model, "pickle ends at byte {} in the middle of an item of {} bytes",
           bytes_.size(), count);
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }

  std::string take_text(std::size_t count) {
    const auto text = take_bytes(count);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

  std::string take_line() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) fail(ErrorCode::invalid_model, "pickle ends in the middle of a name");
    std::string line = take_text(static_cast<std::size_t>(end - rest.begin()));
    ++at_;
    return line;
  }

  void push(Value value) { stack_.push_back(std::move(value)); }

  /// The top of the stack, which must lie above the last mark.
  Value& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
      fail(ErrorCode::invalid_model, "pickle takes more than it has at byte {}", at_);
    }
    return stack_.back();
  }

  Value pop() {
    Value value = std::move(top());
    stack_.pop_back();
    return value;
  }

  /// Everything above the last mark, which goes.
  std::vector<Value> pop_to_mark() {
    if (marks_.empty()) fail(ErrorCode::invalid_model, "pickle has no mark at byte {}", at_);
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    marks_.pop_back();
    std::vector<Value> items(std::make_move_iterator(begin), std::make_move_iterator(stack_.end()));
    stack_.erase(begin, stack_.end());
    return items;
  }

  bool scalar(std::uint8_t opcode) {
    switch (opcode) {
      case kProto:
        check_protocol(take<std::uint8_t>());
        return true;
      case kNone:
        push(std::monostate{});
        return true;
      case kNewTrue:
        push(true);
        return true;
      case kNewFalse:
        push(false);
        return true;
      case kBinInt:
        push(std::int64_t{take<std::int32_t>()});
        return true;
      case kBinInt1:
        push(std::int64_t{take<std::uint8_t>()});
        return true;
      case kBinInt2:
        push(std::int64_t{take<std::uint16_t>()});
        return true;
      case kLong1:
        push(take_long(take<std::uint8_t>()));
        return true;
      case kBinFloat:
        push(std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>())));
        return true;
      case kBinUnicode:
        push(take_text(take<std::uint32_t>()));
        return true;
      case kShortBinString:
        push(take_text(take<std::uint8_t>()));
        return true;
      default:
        return false;
    }
  }

  void check_protocol(int version) {
    if (version > 2) fail(ErrorCode::unsupported, "pickle protocol {}, expected 2", version);
  }

  /// Two's complement, little endian, of any length up to 8 bytes.
  std::int64_t take_long(std::size_t count) {
    if (count > 8) fail(ErrorCode::unsupported, "pickle has an integer of {} bytes", count);
    const auto digits = take_bytes(count);
    std::uint64_t value =
        count > 0 && (std::to_integer<unsigned>(digits.back()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(digits[i]);
    return static_cast<std::int64_t>(value);
  }

  bool container(std::uint8_t opcode) {
    switch (opcode) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kEmptyTuple:
        push(heap_.tuple({}));
        return true;
      case kTuple:
        push(heap_.tuple(pop_to_mark()));
        return true;
      case kTuple1:
        push_tuple(1);
        return true;
      case kTuple2:
        push_tuple(2);
        return true;
      case kTuple3:
        push_tuple(3);
        return true;
      case kEmptyList:
        push(heap_.list());
        return true;
      case kAppend:
        append({pop()});
        return true;
      case kAppends:
        append(pop_to_mark());
        return true;
      case kEmptyDict:
        push(heap_.dict());
        return true;
      case kSetItem:
        set_last_item();
        return true;
      case kSetItems:
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  void push_tuple(std::size_t count) {
    std::vector<Value> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(heap_.tuple(std::move(items)));
  }

  void append(std::vector<Value> items) {
    List* const* list = std::get_if<List*>(&top());
    if (list == nullptr || (*list)->is_tuple) {
      fail(ErrorCode::invalid_model, "pickle appends to {} at byte {}", value_text(top()), at_);
    }
    for (Value& item : items) (*list)->items.push_back(std::move(item));
  }

  void set_last_item() {
    Value value = pop();
    Value key = pop();
    set_items({std::move(key), std::move(value)});
  }

  void set_items(std::vector<Value> items) {
    Dict* const* dict = std::get_if<Dict*>(&top());
    if (dict == nullptr || items.size() % 2 != 0) {
      fail(ErrorCode::invalid_model, "pickle sets {} items of {} at byte {}", items.size(), value_text(top()),
           at_);
    }
    for (std::size_t i = 0; i < items.size(); i += 2) {
      (*dict)->items.emplace_back(std::move(items[i]), std::move(items[i + 1]));
    }
  }

  bool memo(std::uint8_t opcode) {
    switch (opcode) {
      case kBinPut:
        memo_[take<std::uint8_t>()] = top();
        return true;
      case kLongBinPut:
        memo_[take<std::uint32_t>()] = top();
        return true;
      case kBinGet:
        push(remembered(take<std::uint8_t>()));
        return true;
      case kLongBinGet:
        push(remembered(take<std::uint32_t>()));
        return true;
      default:
        return false;
    }
  }

  Value remembered(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end())
      fail(ErrorCode::invalid_model, "pickle recalls item {}, which it never stored", key);
    return found->second;
  }

  bool global(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal:
        push_global();
        return true;
      case kBinPersId:
        push(make_storage(as_list(pop(), "a persistent id"), folder_, heap_));
        return true;
      case kNewObj:
        new_object();
        return true;
      case kReduce:
        reduce();
        return true;
      case kBuild:
        build();
        return true;
      default:
        return false;
    }
  }

  void push_global() {
    std::string name = take_line();
    name += "." + take_line();
    check_global(name);
    push(Name{std::move(name)});
  }

  void new_object() {
    const Value arguments = pop();
    const Value type = pop();
    const Name* name = std::get_if<Name>(&type);
    if (name == nullptr || !name->text.starts_with("__torch__.")) {
      fail(ErrorCode::invalid_model, "pickle makes an object of {}", value_text(type));
    }
    if (!as_list(arguments, "an object's arguments").items.empty()) {
      fail(ErrorCode::invalid_model, "pickle makes an object of '{}' with arguments", name->text);
    }
    push(heap_.object(name->text));
  }

  void reduce() {
    const Value arguments = pop();
    const Value function = pop();
    const Name* name = std::get_if<Name>(&function);
    if (name == nullptr) fail(ErrorCode::invalid_model, "pickle calls {}", value_text(function));
    push(call_global(name->text, as_list(arguments, "a call's arguments"), heap_));
  }

  /// A module's state is a dict of its attributes; anything else is for its __setstate__. What a state_dict
  /// carries beside its items (`_metadata`) says nothing about the tensors.
  void build() {
    Value state = pop();
    if (std::holds_alternative<Dict*>(top())) return;
    Object* const* object = std::get_if<Object*>(&top());
    if (object == nullptr) fail(ErrorCode::invalid_model, "pickle gives a state to {}", value_text(top()));
    Dict* const* dict = std::get_if<Dict*>(&state);
    if (dict == nullptr) {
      (*object)->state = std::move(state);
      (*object)->has_pending_state = true;
      return;
    }
    for (const auto& [key, value] : (*dict)->items) {
      (*object)->attributes[as_string(key, "an attribute's name")] = value;
    }
  }

  std::span<const std::byte> bytes_;
  std::string_view folder_;
  Heap& heap_;
  std::size_t at_ = 0;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Value> memo_;
};

}  // namespace

Value read_pickle(std::span<const std::byte> bytes, std::string_view storage_folder, Heap& heap) {
  return Reader(bytes, storage_folder, heap).read();
}

}  // namespace octavo::torchscript
