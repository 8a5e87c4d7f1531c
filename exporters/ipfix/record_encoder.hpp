// SPDX-License-Identifier: Apache-2.0
// Data records of one template (RFC 7011, 3.4.3), written straight into a
// message by a plan that is compiled from the layout: fields that lie in the
// flow record as they are get copied in one tight loop for each kind of copy;
// the rest is asked of the field table's readers. Lists are rendered before the
// record is written, and go into it like strings. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {

// The strings and lists of a record between measure() and write(), so that they
// are read and checked once.
struct RecordTexts {
    std::vector<std::string_view> views;
    std::vector<std::string> made;  // of strings that are not valid UTF-8, and of lists
};

// The part of a flow record that a field is read from.
enum class RecordBlock : std::uint8_t {
    kRecord,
    kStatistics,
    kApplication,
    kDetails,
    kTunnel,
    kTcpQuality,
    kEnrichment
};
struct FieldPlace {
    RecordBlock block;
    std::uint32_t offset;
};
struct FieldCopy {
    std::uint32_t from, to;  // in its block; in the section
};
using CopyLoop = void (*)(const std::byte* block, std::span<const FieldCopy> copies, std::uint8_t* out);

class RecordEncoder {
public:
    explicit RecordEncoder(const RecordLayout& layout);

    struct Measured {
        std::size_t length;           // octets that write() will fill
        bool strings_cut, lists_cut;  // some were shortened to meet the limit
        bool cut() const noexcept { return strings_cut || lists_cut; }
    };
    // `limit` is at least the layout's minimum_wire_length(). Where strings and lists
    // do not fit both, neither has more than half of what there is while the other
    // needs it; strings are cut to one length, lists to one number of entries.
    Measured measure(const FlowRecord& record, std::size_t limit, RecordTexts& texts) const;

    // Returns the end of the record. `texts` as measure() left them.
    std::uint8_t* write(const FlowRecord& record, const RecordTexts& texts, std::uint8_t* out) const;

private:
    struct Step {  // copies of one kind out of one block
        RecordBlock block;
        CopyLoop run;
        std::uint32_t begin, end;  // in copies_
    };
    struct Call {  // a field that is asked for
        FieldPlan plan;
        std::uint32_t to;  // in the section
    };
    struct Text {  // or list
        const InformationElement* field;
        std::optional<FieldPlace> place;  // of its string_view
        IeId entry_ie;                    // of a list
        std::uint16_t entry_length = 0;

        bool is_list() const noexcept { return entry_length != 0; }
    };
    struct Section {  // fields of fixed length, then strings and lists
        std::uint32_t length = 0;
        std::uint32_t steps_end = 0, calls_end = 0, texts_end = 0;
    };
    struct Planned {  // a copy that has not found its step
        Step step;
        FieldCopy copy;
    };

    void add_section(std::vector<Planned>& planned, std::uint32_t length);
    static std::string_view text_of(const FlowRecord& record, const Text& text);
    static std::string_view any_text_of(const FlowRecord& record, const Text& text, std::string& made);
    static std::string_view list_of(const FlowRecord& record, const Text& list, std::string& made);
    Measured cut(std::size_t limit, RecordTexts& texts) const;
    std::size_t total(const RecordTexts& texts, bool lists, std::size_t most) const;

    std::vector<FieldCopy> copies_;
    std::vector<Step> steps_;
    std::vector<Call> calls_;
    std::vector<Text> texts_;
    std::vector<Section> sections_;
    std::size_t fixed_length_ = 0;
};

}  // namespace nfstreamd::exporters::ipfix
