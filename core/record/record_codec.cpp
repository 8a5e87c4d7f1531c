// SPDX-License-Identifier: Apache-2.0
// What is changed here changes the format: record_format.cpp.
#include "core/record/record_codec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/record/declared_fields.hpp"
#include "core/record/record_members.hpp"

namespace nfstreamd {
namespace {

constexpr std::size_t kLongestNumber = 10;   // octets of 64 bits, 7 in each
constexpr std::size_t kShortestRecord = 48;  // octets: it has more members than that

// The last value that an enumeration has.
template <class Enumeration>
constexpr Enumeration kLast = Enumeration{};
template <>
constexpr EndReason kLast<EndReason> = static_cast<EndReason>(kEndReasons - 1);
template <>
constexpr BiflowDirection kLast<BiflowDirection> = BiflowDirection::kReverseInitiator;
template <>
constexpr ApplicationFamily kLast<ApplicationFamily> = ApplicationFamily::kDhcp;
template <>
constexpr IeType kLast<IeType> = IeType::kSigned32List;

template <class T>
concept Octet = std::is_same_v<T, std::uint8_t>;
template <class T>
concept Unsigned = std::is_unsigned_v<T> && !Octet<T> && !std::is_same_v<T, bool>;
template <class T>
concept Signed = std::is_integral_v<T> && std::is_signed_v<T>;
template <class T>
concept Enumeration = std::is_enum_v<T>;

constexpr std::size_t address_octets(std::uint8_t version) {
    return version == 4 ? 4 : version == 6 ? 16 : 0;
}

class Writer {
public:
    explicit Writer(std::string& out) : out_(out), at_(out.size()) {}
    ~Writer() { out_.resize(at_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    template <class... Members>
    void operator()(std::string_view, const Members&... members) {
        (put(members), ...);
    }

private:
    void put(const Octet auto& value) { put_octet(value); }
    void put(const bool& value) { put_octet(value ? 1 : 0); }
    void put(const Unsigned auto& value) { put_number(value); }
    void put(const Enumeration auto& value) { put_octet(static_cast<std::uint8_t>(value)); }
    void put(const Signed auto& value) {  // small ones of either sign are short
        const auto number = static_cast<std::int64_t>(value);
        put_number(static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63));
    }
    void put(const double& value) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        char* to = room(sizeof bits);
        for (std::size_t i = 0; i < sizeof bits; ++i) to[i] = static_cast<char>(bits >> 8 * i);
        at_ += sizeof bits;
    }
    void put(const MacAddress& address) { put_octets(address.data(), address.size()); }
    void put(const IpAddress& address) {
        put_octet(address.version);
        put_octets(address.bytes.data(), address_octets(address.version));
    }
    void put(const std::string_view& text) {
        put_number(text.size());
        put_octets(text.data(), text.size());
    }
    void put(const std::span<const std::int32_t>& list) {
        put_number(list.size());
        for (const auto& element : list) put(element);
    }
    // A column is written with its name where it first comes, then as its number.
    void put(const std::span<const DeclaredValue>& values) {
        put_number(values.size());
        for (const DeclaredValue& value : values) {
            const auto found = std::find(columns_.begin(), columns_.end(), value.column);
            put_number(static_cast<std::uint64_t>(found - columns_.begin()));
            if (found == columns_.end()) {
                columns_.push_back(value.column);
                put(std::string_view(value.column->name));
                put(value.column->type);
            }
            put_octet(static_cast<std::uint8_t>(value.value.index()));
            std::visit([this](const auto& v) { put(v); }, value.value);
        }
    }
    void put(const std::monostate&) {}
    void put(const Unsigned128& value) {
        put_number(value.high);
        put_number(value.low);
    }
    template <class T, std::size_t Count>
    void put(const T (&array)[Count]) {
        for (const auto& element : array) put(element);
    }
    template <class Block>
    void put(const Block* const& block) {
        put_octet(block != nullptr ? 1 : 0);
        if (block != nullptr) visit_members(*this, *block);
    }
    template <class Struct>
    requires std::is_class_v<Struct>
    void put(const Struct& value) { visit_members(*this, value); }

    char* room(std::size_t octets) {
        if (out_.size() - at_ < octets) out_.resize(2 * out_.size() + octets + 4096);
        return out_.data() + at_;
    }
    void put_octet(std::uint8_t value) {
        *room(1) = static_cast<char>(value);
        ++at_;
    }
    void put_octets(const void* octets, std::size_t size) {
        if (size == 0) return;
        std::memcpy(room(size), octets, size);
        at_ += size;
    }
    void put_number(std::uint64_t value) {  // LEB128: 7 bits in each octet, the lowest first
        char* to = room(kLongestNumber);
        std::size_t size = 0;
        for (; value > 127; value >>= 7) to[size++] = static_cast<char>(value | 128);
        to[size++] = static_cast<char>(value);
        at_ += size;
    }

    std::string& out_;  // longer than what is written so far
    std::size_t at_;
    std::vector<const DeclaredColumn*> columns_;
};

// Once it has met what no writer writes, all that follows is not sound either.
class Reader {
public:
    // Texts go on pointing into `octets`.
    Reader(std::string_view octets, Arena& arena) : at_(octets.data()), end_(at_ + octets.size()), arena_(arena) {}

    template <class... Members>
    void operator()(std::string_view, Members&... members) {
        (get(members), ...);
    }
    bool sound() const { return sound_; }
    bool at_end() const { return at_ == end_; }

private:
    void get(Octet auto& value) { value = get_octet(); }
    void get(bool& value) { value = get_choice(1) != 0; }
    template <Unsigned T>
    void get(T& value) {
        const std::uint64_t number = get_number();
        if (number > std::numeric_limits<T>::max()) return fail();
        value = static_cast<T>(number);
    }
    template <Enumeration T>
    void get(T& value) {
        value = static_cast<T>(get_choice(static_cast<std::uint8_t>(kLast<T>)));
    }
    template <Signed T>
    void get(T& value) {
        const std::uint64_t bits = get_number();
        const auto number = static_cast<std::int64_t>(bits >> 1 ^ (0 - (bits & 1)));
        if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max()) return fail();
        value = static_cast<T>(number);
    }
    void get(double& value) {
        const std::string_view octets = get_octets(sizeof value);
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < octets.size(); ++i)
            bits |= std::uint64_t{static_cast<unsigned char>(octets[i])} << 8 * i;
        value = std::bit_cast<double>(bits);
    }
    void get(MacAddress& address) { copy(get_octets(address.size()), address.data()); }
    void get(IpAddress& address) {
        const std::uint8_t version = get_octet();
        if (version != 0 && version != 4 && version != 6) return fail();
        address.version = version;
        copy(get_octets(address_octets(version)), address.bytes.data());
    }
    void get(std::string_view& text) { text = get_octets(get_number()); }
    void get(std::span<const std::int32_t>& list) {
        const std::uint64_t size = get_number();
        if (size > left()) return fail();  // an octet each at least
        const auto elements = arena_.array<std::int32_t>(size);
        for (auto& element : elements) {
            element = 0;
            get(element);
        }
        list = elements;
    }
    // Columns that nobody has declared in this process are nowhere shown: theirs are left out.
    void get(std::span<const DeclaredValue>& values) {
        const std::uint64_t size = get_number();
        if (size > left()) return fail();
        const auto kept = arena_.array<DeclaredValue>(size);
        std::size_t count = 0;
        for (std::uint64_t i = 0; i < size && sound_; ++i) {
            const DeclaredColumn* column = get_column();
            FieldValue value;
            get(value);
            if (column != nullptr && suits(column->type, value)) new (&kept[count++]) DeclaredValue{column, value};
        }
        values = kept.first(count);
    }
    const DeclaredColumn* get_column() {
        const std::uint64_t number = get_number();
        if (number < columns_.size()) return columns_[number];
        if (number > columns_.size()) {
            fail();
            return nullptr;
        }
        std::string_view name;
        IeType type{};
        get(name);
        get(type);
        return columns_.emplace_back(sound_ ? find_declared_column(name, type) : nullptr);
    }
    void get(FieldValue& value) { get_alternative<0>(value, get_octet()); }
    template <std::size_t Index>
    void get_alternative(FieldValue& value, std::size_t index) {
        if constexpr (Index == std::variant_size_v<FieldValue>)
            fail();
        else if (index == Index)
            get(value.emplace<Index>());
        else
            get_alternative<Index + 1>(value, index);
    }
    void get(std::monostate&) {}
    void get(Unsigned128& value) {
        value.high = get_number();
        value.low = get_number();
    }
    template <class T, std::size_t Count>
    void get(T (&array)[Count]) {
        for (auto& element : array) get(element);
    }
    template <class Block>
    void get(const Block*& pointer) {
        if (get_choice(1) == 0) return;
        auto* block = arena_.make<Block>();
        visit_members(*this, *block);
        pointer = block;
    }
    template <class Struct>
    requires std::is_class_v<Struct>
    void get(Struct& value) { visit_members(*this, value); }

    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
    void fail() {
        sound_ = false;
        at_ = end_;
    }
    std::string_view get_octets(std::uint64_t size) {
        if (size > left()) {
            fail();
            return {};
        }
        const std::string_view octets(at_, size);
        at_ += size;
        return octets;
    }
    std::uint8_t get_octet() {
        const std::string_view octet = get_octets(1);
        return octet.empty() ? 0 : static_cast<std::uint8_t>(octet.front());
    }
    std::uint8_t get_choice(std::uint8_t last) {
        const std::uint8_t value = get_octet();
        if (value <= last) return value;
        fail();
        return 0;
    }
    std::uint64_t get_number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
            const auto octet = static_cast<unsigned char>(*at_++);
            if (shift == 63 && octet > 1) break;
            value |= std::uint64_t{octet & 127u} << shift;
            if (octet < 128) return value;
        }
        fail();
        return 0;
    }
    static void copy(std::string_view octets, std::uint8_t* to) {
        if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
    }

    const char* at_;
    const char* const end_;
    Arena& arena_;
    std::vector<const DeclaredColumn*> columns_;  // null: not declared here
    bool sound_ = true;
};

}  // namespace

void append_records(std::string& out, std::span<const FlowRecord> records) {
    Writer writer(out);
    for (const FlowRecord& record : records) visit_members(writer, record);
}

bool read_records(std::string_view octets, std::size_t count, RecordBatch& batch) {
    if (count > octets.size() / kShortestRecord) return false;  // before there is memory for them
    Reader reader(batch.arena.copy(octets), batch.arena);
    batch.records.reserve(batch.records.size() + count);
    for (; count > 0 && reader.sound(); --count) visit_members(reader, batch.records.emplace_back());
    return count == 0 && reader.sound() && reader.at_end();
}

}  // namespace nfstreamd
