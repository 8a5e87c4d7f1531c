// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/columns.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"
#include "core/export/record_queue.hpp"
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

bool is_address(IeType type) {
    return type == IeType::kIpAddress || type == IeType::kMacAddress;
}

// The octets of an address; null: there is none.
std::string_view key_of(const FieldValue& value) {
    if (const auto* address = std::get_if<IpAddress>(&value))
        return {reinterpret_cast<const char*>(address), sizeof *address};
    if (const auto* mac = std::get_if<MacAddress>(&value)) return {reinterpret_cast<const char*>(mac), sizeof *mac};
    return {};
}

std::string text_of(const FieldValue& value) {
    std::string text;
    if (const auto* address = std::get_if<IpAddress>(&value))
        append_text(text, *address);
    else if (const auto* mac = std::get_if<MacAddress>(&value))
        append_text(text, *mac);
    return text;
}

template <class T>
T read(const void* member) {
    T value;
    std::memcpy(&value, member, sizeof value);
    return value;
}

// `rows` is a permutation.
template <class T>
void arrange(std::vector<T>& values, const std::vector<std::uint32_t>& rows) {
    if (values.empty()) return;
    std::vector<T> arranged;
    arranged.reserve(rows.size());
    for (const std::uint32_t row : rows) arranged.push_back(values[row]);
    values = std::move(arranged);
}

}  // namespace

ObjectPool::~ObjectPool() {
    for (const Slot& slot : slots_) Py_XDECREF(slot.object);
}

std::uint64_t ObjectPool::hash(std::string_view key) noexcept {
    static const auto secrets = random_words<2>();  // texts are chosen by others
    std::uint64_t mixed = secrets[0] ^ key.size();
    const char* at = key.data();
    for (std::size_t left = key.size(); left != 0;) {
        const std::size_t n = std::min<std::size_t>(left, 8);
        std::uint64_t word = 0;
        std::memcpy(&word, at, n);
        mixed = multiply_mix(mixed ^ word, secrets[1]);
        at += n;
        left -= n;
    }
    return mixed;
}

PyObject* ObjectPool::find(std::string_view key, std::uint64_t hash) const noexcept {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
        const Slot& slot = slots_[i];
        if (slot.object == nullptr || (slot.hash == hash && slot.key == key)) return slot.object;
    }
}

void ObjectPool::add(std::string_view key, std::uint64_t hash, PyObject* owned) {
    if (2 * (taken_ + 1) > slots_.size()) grow();
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].object != nullptr) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {hash, keys_.copy(key), owned};
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

bool Column::add_known(std::string_view key, std::uint64_t hash) {
    PyObject* known = pool_.find(key, hash);
    if (known != nullptr) objects_.push_back(Py_NewRef(known));
    return known != nullptr;
}

void Column::add_text(std::string_view key, std::uint64_t hash, std::string_view text) {
    if (add_known(key, hash)) return;
    PyObject* made = make(text);
    pool_.add(key, hash, made);
    objects_.push_back(Py_NewRef(made));
}

// Of addresses, which are many: memory is waited for once for several of them.
void Column::add_addresses(std::span<const FlowRecord> records) {
    struct Wanted {
        FieldValue value;
        std::string_view key;
        std::uint64_t hash;
    };
    std::array<Wanted, kBatchRecords> wanted;
    for (std::size_t i = 0; i < records.size(); ++i) {
        Wanted& one = wanted[i];
        one.value = field_->value(records[i]);
        one.key = key_of(one.value);
        one.hash = ObjectPool::hash(one.key);
        pool_.prefetch(one.hash);
    }
    for (std::size_t i = 0; i < records.size(); ++i) pool_.prefetch_object(wanted[i].hash);
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Wanted& one = wanted[i];
        if (one.key.data() == nullptr)
            add_missing();
        else if (!add_known(one.key, one.hash))
            add_text(one.key, one.hash, text_of(one.value));
    }
}

void Column::add_value(const FieldValue& value) {
    if (const auto* view = std::get_if<std::string_view>(&value))
        return add_text(*view, ObjectPool::hash(*view), *view);
    if (const std::string_view key = key_of(value); key.data() != nullptr)
        return add_text(key, ObjectPool::hash(key), text_of(value));
    std::string text;
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
    add_text(text, ObjectPool::hash(text), text);
}

void Column::add(std::span<const FlowRecord> records) {
    if (kind_ == Kind::kObject) {
        if (!is_address(field_->type)) {
            for (const FlowRecord& record : records) add_value(field_->value(record));
            return;
        }
        for (; records.size() > kBatchRecords; records = records.subspan(kBatchRecords))
            add_addresses(records.first(kBatchRecords));
        return add_addresses(records);
    }
    switch (field_->value.form) {
        case FieldForm::kUnsigned8:
            return add_integers<std::uint8_t>(records);
        case FieldForm::kUnsigned16:
            return add_integers<std::uint16_t>(records);
        case FieldForm::kUnsigned32:
            return add_integers<std::uint32_t>(records);
        case FieldForm::kUnsigned64:
            return add_integers<std::int64_t>(records);
        case FieldForm::kNanoseconds:
            return add_integers<std::int64_t, 1'000'000>(records);
        default:
            for (const FlowRecord& record : records) add_number(record);
    }
}

template <class T, std::int64_t unit>
void Column::add_integers(std::span<const FlowRecord> records) {
    const FieldReader& reader = field_->value;
    for (const FlowRecord& record : records) {
        const void* member = reader.member != nullptr ? reader.member(record) : nullptr;
        if (member != nullptr && kind_ == Kind::kInteger)
            integers_.push_back(static_cast<std::int64_t>(read<T>(member)) / unit);
        else
            add_number(record);
    }
}

void Column::add_number(const FlowRecord& record) {
    const FieldReader& reader = field_->value;
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
