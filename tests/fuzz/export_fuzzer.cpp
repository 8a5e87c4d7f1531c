// SPDX-License-Identifier: Apache-2.0
// Records to messages and lines, and back by our own reader. The input chooses
// records with anything in their members and changes some octets of what they are
// made of; IPFIX and NetFlow must be read as so many records, CSV and JSON must
// be whole lines.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/record/record_codec.hpp"
#include "core/record/record_members.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "exporters/ipfix/ipfix_format.hpp"
#include "exporters/ipfix/message_reader.hpp"
#include "exporters/netflow/netflow5_format.hpp"
#include "exporters/netflow/netflow9_format.hpp"
#include "tests/fuzz/promises.hpp"
#include "tests/support/random_records.hpp"

namespace {

using namespace nfstreamd;
using namespace nfstreamd::exporters;
using fuzz::require;

constexpr std::uint32_t kPen = 32473;  // RFC 5612: for documentation

Logger& quiet() {
    static Logger logger(LogLevel::kError, LogFormat::kText, -1);
    return logger;
}

FieldGroups all_groups() {
    return {.statistics = true,
            .splt = true,
            .l7_details = true,
            .tcp_quality = true,
            .enrichment = true,
            .declared = test::declared_fields()};
}

struct Read {
    std::uint64_t lines = 0;
    std::vector<std::string> texts;
};

void feed(MessageQueue& queue, MessageFormat& format, ipfix::MessageReader& reader) {
    std::uint32_t sequence = 0;
    for (std::size_t i = 0; i < queue.messages().size(); ++i) {
        format.stamp(queue.message(i), queue.messages()[i],
                     std::chrono::system_clock::time_point(std::chrono::hours(500'000)), sequence);
        sequence += format.sequence_step(queue.messages()[i]);
        const fuzz::HeapBlock block(queue.message(i));
        reader.feed_datagram(block.octets(), "a");
    }
    queue.clear();
}

// All records through a format and back. Returns how many data records there were, and what was read.
std::uint64_t through(MessageFormat& format, const RecordBatch& batch, Read& read, bool announces) {
    MessageQueue queue(format.framing(), format.max_message());
    ipfix::MessageReader reader(
        [&](std::string_view line) {
            require(fuzz::is_json_object(line), "a line is one object");
            read.texts.emplace_back(line);
        },
        kPen);
    if (announces) {
        SessionTemplates known;
        require(format.announce(queue, known).has_value(), "templates fit a message");
        feed(queue, format, reader);
    }
    const std::uint64_t before = read.texts.size();
    std::uint64_t made = 0;
    for (const FlowRecord& record : batch.records) {
        auto added = format.add(record, queue);
        for (int tries = 0; added == MessageFormat::Added::kNoRoom && tries < 100'000; ++tries) {
            queue.end_message();
            added = format.add(record, queue);
        }
        require(added != MessageFormat::Added::kNoRoom, "an empty message has room");
        if (added != MessageFormat::Added::kTaken) format.forget();
    }
    if (queue.is_under_way()) queue.end_message();
    for (const MessageCounts& counts : queue.messages()) made += counts.data_records;
    feed(queue, format, reader);
    require(reader.counters().malformed == 0, "what is written can be read");
    read.lines = read.texts.size() - before;
    return made;
}

// Some texts of a record become long.
struct LongTexts {
    Arena& arena;
    std::size_t length;

    template <class... Members>
    void operator()(std::string_view, Members&... members) {
        (lengthen(members), ...);
    }
    template <class T>
    void lengthen(T& member) {
        if constexpr (std::is_same_v<T, std::string_view>) {
            if (member.size() % 3 == 1) member = arena.copy(std::string(length, member.front()));
        } else if constexpr (std::is_pointer_v<T>) {
            if (member != nullptr)
                visit_members(*this, const_cast<std::remove_const_t<std::remove_pointer_t<T>>&>(*member));
        }
    }
};

void check_lines(const RecordBatch& batch, bool escaped) {
    static const FieldSelection kFields = nfstream_fields(all_groups());
    static const JsonEncoder kJson(kFields);
    static const CsvEncoder kPlain(kFields), kEscaped(kFields, nullptr, CsvEncoder::Formulas::kEscape);
    const CsvEncoder& csv = escaped ? kEscaped : kPlain;
    std::string head;
    kJson.preamble(head);
    require(head.empty(), "lines of JSON have no head");
    csv.preamble(head);
    require(std::count(head.begin(), head.end(), ',') + 1 == static_cast<std::ptrdiff_t>(kFields.size()),
            "the head of CSV names each column");
    for (const FlowRecord& record : batch.records) {
        std::string line;
        kJson.encode(record, line);
        require(!line.empty() && line.back() == '\n' && fuzz::is_json_object(line.substr(0, line.size() - 1)),
                "a line of JSON is one object");
        line.clear();
        csv.encode(record, line);
        std::size_t columns = 1;
        bool quoted = false;
        for (std::size_t i = 0; i + 1 < line.size(); ++i) {
            if (line[i] == '"') quoted = !quoted;
            if (quoted) continue;
            require(line[i] != '\n', "a record is one line");
            columns += line[i] == ',';
        }
        require(!line.empty() && line.back() == '\n' && !quoted, "a line of CSV ends");
        require(columns == kFields.size(), "each column is there");
    }
}

// What takes long to make, once for each choice.
struct Formats {
    std::unique_ptr<MessageFormat> ipfix, netflow9, netflow5;
};
const Formats& formats_of(std::uint8_t choice) {
    static std::map<std::uint8_t, Formats> made;
    const auto [at, is_new] = made.try_emplace(choice);
    Formats& formats = at->second;
    if (!is_new) return formats;

    ipfix::IpfixOptions options;
    options.groups = all_groups();
    options.private_enterprise_number = (choice & 1) != 0 ? kPen : 0;
    options.fields = ipfix_fields(options.groups, options.private_enterprise_number);
    options.biflow = (choice & 2) == 0;
    options.max_message = (choice & 4) != 0 ? 1372 : 8192;
    options.options.kinds = {};
    if (auto format = ipfix::IpfixFormat::make(options, "fuzz", quiet())) formats.ipfix = std::move(format.value());

    netflow::Netflow9Options version9;
    version9.groups = options.groups;
    version9.fields = options.fields;
    version9.biflow = options.biflow;
    version9.options.kinds = {};
    if (auto format = netflow::Netflow9Format::make(version9)) formats.netflow9 = std::move(format.value());
    formats.netflow5 = std::make_unique<netflow::Netflow5Format>(netflow::Netflow5Options{});
    return formats;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    fuzz::Pieces pieces(input, size);
    const std::uint8_t choice = pieces.octet();
    const std::size_t count = 1 + pieces.octet() % 8;
    std::string octets;
    append_records(octets, test::RandomRecords(pieces.octet()).batch(1, count)->records);
    while (!pieces.empty()) {
        const std::size_t at = pieces.number16();
        octets[at % octets.size()] = static_cast<char>(pieces.octet());
    }
    RecordBatch batch;
    if (!read_records(octets, count, batch)) return 0;
    if ((choice & 16) != 0) {
        LongTexts long_texts{batch.arena, std::size_t{200} * (choice >> 5)};
        for (FlowRecord& record : batch.records) visit_members(long_texts, record);
    }
    check_lines(batch, (choice & 8) != 0);

    const Formats& formats = formats_of(choice & 7);
    for (MessageFormat* format : {formats.ipfix.get(), formats.netflow9.get()}) {
        if (format == nullptr) continue;  // messages are too short for all fields
        Read read;
        const std::uint64_t records = through(*format, batch, read, true);
        require(read.lines == records, "each record is read");
    }
    // of a flow with more it makes thousands of records, as it must
    const auto fits = [](const DirectionRecord& d) { return d.packets >> 36 == 0 && d.octets >> 36 == 0; };
    if (!std::all_of(batch.records.begin(), batch.records.end(),
                     [&](const FlowRecord& record) { return fits(record.forward) && fits(record.reverse); }))
        return 0;
    Read read;
    const std::uint64_t records = through(*formats.netflow5, batch, read, false);
    require(read.lines == records, "each record of NetFlow 5 is read");
    return 0;
}
