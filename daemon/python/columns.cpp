// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/columns.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"
#include "exporters/encode/number_text.hpp"

namespace nfstreamd::python {
namespace {

// What pandas takes for a value that is not there.
constexpr std::string_view kMissing[] = {"",     "#N/A", "#N/A N/A", "#NA",     "-1.#IND", "-1.#QNAN",
                                         "-NaN", "-nan", "1.#IND",   "1.#QNAN", "<NA>",    "N/A",
                                         "NA",   "NULL", "NaN",      "n/a",     "nan",     "null"};

bool is_missing(std::string_view text) {
    constexpr std::size_t kLongest = 8;
    return text.size() <= kLongest + 1 &&
           std::find(std::begin(kMissing), std::end(kMissing), text) != std::end(kMissing);
}

bool is_numeric(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    std::strtod(copy.c_str(), &end);
    if (end == copy.c_str() + copy.size()) return true;
    std::string lower(copy);
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return lower == "true" || lower == "false";
}

Column::Kind kind_of(const InformationElement& field) {
    switch (field.type) {
        case IeType::kUnsigned8:
        case IeType::kUnsigned16:
        case IeType::kUnsigned32:
        case IeType::kUnsigned64:
        case IeType::kSigned32:
        case IeType::kBoolean:
        case IeType::kDateTimeMilliseconds:
            return Column::Kind::kInteger;
        case IeType::kFloat64:
            return Column::Kind::kFloat;
        default:
            return Column::Kind::kObject;
    }
}

template <class T>
T read(const void* member) {
    T value;
    std::memcpy(&value, member, sizeof value);
    return value;
}

// `rows` is a permutation, the identity at its beginning.
template <class T>
void arrange(std::vector<T>& values, const std::vector<std::uint32_t>& rows) {
    if (values.empty()) return;
    std::size_t begin = 0;
    while (begin < rows.size() && rows[begin] == begin) ++begin;
    std::vector<T> arranged;
    arranged.reserve(rows.size() - begin);
    for (std::size_t i = begin; i < rows.size(); ++i) arranged.push_back(values[rows[i]]);
    std::copy(arranged.begin(), arranged.end(), values.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace

ObjectPool::~ObjectPool() {
    for (const Slot& slot : slots_) Py_XDECREF(slot.object);
}

std::uint64_t ObjectPool::hash(std::string_view key) noexcept {
    static const std::uint64_t seed = random_word();  // texts are chosen by others
    std::uint64_t mixed = seed ^ key.size();
    const char* at = key.data();
    for (std::size_t left = key.size(); left != 0;) {
        const std::size_t n = std::min<std::size_t>(left, 8);
        std::uint64_t word = 0;
        std::memcpy(&word, at, n);
        mixed = splitmix_finish(mixed ^ word);
        at += n;
        left -= n;
    }
    return mixed;
}

PyObject* ObjectPool::find(std::string_view key) const noexcept {
    if (slots_.empty()) return nullptr;
    const std::uint64_t wanted = hash(key);
    for (std::size_t i = wanted & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
        const Slot& slot = slots_[i];
        if (slot.object == nullptr || (slot.hash == wanted && slot.key == key)) return slot.object;
    }
}

void ObjectPool::add(std::string_view key, PyObject* owned) {
    if (2 * (taken_ + 1) > slots_.size()) grow();
    const std::uint64_t hashed = hash(key);
    std::size_t i = hashed & (slots_.size() - 1);
    while (slots_[i].object != nullptr) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {hashed, keys_.copy(key), owned};
    ++taken_;
}

void ObjectPool::grow() {
    const auto before = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(64, slots_.size() * 2)));
    for (const Slot& slot : before) {
        if (slot.object == nullptr) continue;
        std::size_t i = slot.hash & (slots_.size() - 1);
        while (slots_[i].object != nullptr) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = slot;
    }
}

Column::Column(const InformationElement& field, const exporters::Anonymizer* anonymizer, PyObject* missing)
    : field_(&field),
      anonymizer_(anonymizer),
      missing_(missing),
      kind_(anonymizer != nullptr ? Kind::kObject : kind_of(field)) {}

Column::~Column() {
    for (PyObject* object : objects_) Py_DECREF(object);
}

// Numbers with a gap are floats.
void Column::add_missing() {
    if (kind_ == Kind::kObject) {
        objects_.push_back(Py_NewRef(missing_));
        return;
    }
    if (kind_ == Kind::kInteger) {
        kind_ = Kind::kFloat;
        floats_.assign(integers_.begin(), integers_.end());
        integers_.clear();
    }
    floats_.push_back(std::numeric_limits<double>::quiet_NaN());
}

PyObject* Column::make(std::string_view text) {
    if (anonymizer_ == nullptr && is_missing(text)) return Py_NewRef(missing_);
    exporters::Anonymizer::Buffer buffer;
    const FieldValue shown = anonymizer_ != nullptr ? anonymizer_->pseudonym(text, buffer) : FieldValue(text);
    const std::string_view view = std::get<std::string_view>(shown);
    all_missing_ = false;
    if (numeric_) numeric_ = is_numeric(view);
    PyObject* made = to_python(view);
    if (made != nullptr) return made;
    PyErr_Clear();
    return Py_NewRef(missing_);
}

bool Column::add_known(std::string_view key) {
    PyObject* known = pool_.find(key);
    if (known != nullptr) objects_.push_back(Py_NewRef(known));
    return known != nullptr;
}

void Column::add_text(std::string_view key, std::string_view text) {
    if (add_known(key)) return;
    PyObject* made = make(text);
    pool_.add(key, made);
    objects_.push_back(Py_NewRef(made));
}

void Column::add_value(const FieldValue& value) {
    if (const auto* view = std::get_if<std::string_view>(&value)) return add_text(*view, *view);
    std::string text;
    if (const auto* address = std::get_if<IpAddress>(&value)) {
        const std::string_view key(reinterpret_cast<const char*>(address), sizeof *address);
        if (add_known(key)) return;
        append_text(text, *address);
        return add_text(key, text);
    }
    if (const auto* mac = std::get_if<MacAddress>(&value)) {
        const std::string_view key(reinterpret_cast<const char*>(mac), sizeof *mac);
        if (add_known(key)) return;
        append_text(text, *mac);
        return add_text(key, text);
    }
    if (const auto* list = std::get_if<std::span<const std::int32_t>>(&value))
        exporters::append_list(text, *list);
    else if (const auto* number = std::get_if<std::uint64_t>(&value))
        exporters::append_integer(text, *number);
    else if (const auto* signed_number = std::get_if<std::int64_t>(&value))
        exporters::append_integer(text, *signed_number);
    else if (const auto* real = std::get_if<double>(&value))
        exporters::append_float(text, *real);
    else
        return add_missing();
    add_text(text, text);
}

void Column::add(const FlowRecord& record) {
    const FieldReader& reader = field_->value;
    if (kind_ == Kind::kObject) return add_value(reader(record));
    const void* member = reader.member != nullptr ? reader.member(record) : nullptr;
    if (member != nullptr && kind_ == Kind::kInteger) {
        switch (reader.form) {
            case FieldForm::kUnsigned8:
                return add_integer(read<std::uint8_t>(member));
            case FieldForm::kUnsigned16:
                return add_integer(read<std::uint16_t>(member));
            case FieldForm::kUnsigned32:
                return add_integer(read<std::uint32_t>(member));
            case FieldForm::kUnsigned64:
                return add_integer(read<std::int64_t>(member));
            case FieldForm::kNanoseconds:
                return add_integer(read<std::int64_t>(member) / 1'000'000);
            default:
                break;
        }
    }
    const FieldValue value = reader(record);
    double number;
    if (const auto* real = std::get_if<double>(&value)) {
        number = *real;
    } else if (const auto* positive = std::get_if<std::uint64_t>(&value)) {
        if (kind_ == Kind::kInteger) return add_integer(static_cast<std::int64_t>(*positive));
        number = static_cast<double>(*positive);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        if (kind_ == Kind::kInteger) return add_integer(*integer);
        number = static_cast<double>(*integer);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
        if (kind_ == Kind::kInteger) return add_integer(*truth);
        number = *truth;
    } else {
        return add_missing();
    }
    floats_.push_back(number);
}

void Column::arrange(const std::vector<std::uint32_t>& rows) {
    python::arrange(integers_, rows);
    python::arrange(floats_, rows);
    python::arrange(objects_, rows);
}

}  // namespace nfstreamd::python
