// SPDX-License-Identifier: Apache-2.0
// Records as columns for pandas, with the values that its reader of CSV would
// find in nfstream's: empty texts are missing, lists are text. Texts that come
// again are the same object. With the interpreter's lock.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/arena.hpp"
#include "core/record/flow_record.hpp"
#include "daemon/python/flow_schema.hpp"
#include "daemon/python/reference.hpp"
#include "exporters/encode/anonymizer.hpp"

namespace nfstreamd::python {

// Objects by the octets they were made of, each once.
class ObjectPool {
public:
    ObjectPool() = default;
    ObjectPool(ObjectPool&&) = default;
    ~ObjectPool();

    static std::uint64_t hash(std::string_view key) noexcept;
    PyObject* find(std::string_view key, std::uint64_t hash) const noexcept;  // borrowed; null: not known
    void add(std::string_view key, std::uint64_t hash, PyObject* owned);

    // Before find() of several keys: their slots, then what these point to.
    void prefetch(std::uint64_t hash) const noexcept {
        if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
    }
    void prefetch_object(std::uint64_t hash) const noexcept {
        if (slots_.empty()) return;
        const Slot& slot = slots_[hash & (slots_.size() - 1)];
        __builtin_prefetch(slot.key.data());
        __builtin_prefetch(slot.object, 1);
    }

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::string_view key;
        PyObject* object = nullptr;  // null: free
    };
    void grow();

    std::vector<Slot> slots_;  // a power of two of them, at most half of them taken
    std::size_t taken_ = 0;
    Arena keys_;
};

class Column {
public:
    // `anonymizer` null: values as they are. `missing` is NaN.
    Column(const InformationElement& field, const exporters::Anonymizer* anonymizer, PyObject* missing);
    Column(Column&&) = default;
    ~Column();

    void add(std::span<const FlowRecord> records);
    void arrange(const std::vector<std::uint32_t>& rows);

    enum class Kind { kInteger, kFloat, kObject };
    Kind kind() const noexcept { return kind_; }
    // One of them, by kind(); objects are owned by the column until they are released.
    std::vector<std::int64_t>& integers() noexcept { return integers_; }
    std::vector<double>& floats() noexcept { return floats_; }
    std::vector<PyObject*>& objects() noexcept { return objects_; }

    bool all_missing() const noexcept { return all_missing_; }
    // All texts that are not missing might be taken for numbers.
    bool looks_numeric() const noexcept { return !all_missing_ && numeric_; }

private:
    void add_integer(std::int64_t value) { integers_.push_back(value); }
    template <class T, std::int64_t unit = 1>
    void add_integers(std::span<const FlowRecord> records);
    void add_number(const FlowRecord& record);
    void add_missing();
    bool add_known(std::string_view key, std::uint64_t hash);
    void add_text(std::string_view key, std::uint64_t hash, std::string_view text);
    void add_addresses(std::span<const FlowRecord> records);
    void add_value(const FieldValue& value);
    PyObject* make(std::string_view text);

    const InformationElement* field_;
    const exporters::Anonymizer* anonymizer_;
    PyObject* missing_;
    Kind kind_;
    std::vector<std::int64_t> integers_;
    std::vector<double> floats_;
    std::vector<PyObject*> objects_;
    ObjectPool pool_;
    bool all_missing_ = true, numeric_ = true;
};

}  // namespace nfstreamd::python
