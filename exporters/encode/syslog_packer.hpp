// SPDX-License-Identifier: Apache-2.0
// One record as one syslog message (RFC 5424): the header, and the record as JSON
// in MSG or as parameters of a structured data element. Belongs to the thread of
// its exporter.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/encode/anonymizer.hpp"
#include "exporters/encode/encoder.hpp"
#include "exporters/encode/message_packer.hpp"

namespace nfstreamd::exporters {

struct SyslogHeader {
    int facility = 16, severity = 6;  // RFC 5424, 6.2.1
    std::string host_name, app_name, process_id, message_id = "flow";
};

std::optional<int> syslog_facility(std::string_view name);  // "local0"
std::optional<int> syslog_severity(std::string_view name);  // "info"
// Whether a header field may have it: printable US-ASCII without spaces, so long at most (RFC 5424, 6).
bool is_syslog_name(std::string_view text, std::size_t most);

// Fields as parameters of one structured data element, [flow@PEN src_ip="..." ...];
// what a record lacks is left out.
class StructuredDataEncoder final : public Encoder {
public:
    // `id` is the SD-ID; `anonymizer` may be null.
    StructuredDataEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer, std::string id);

    void preamble(std::string&) const override {}
    void encode(const FlowRecord& record, std::string& out) const override;

private:
    const FieldSelection fields_;
    const std::unique_ptr<const Anonymizer> anonymizer_;
    const std::vector<bool> anonymized_;  // by field
    const std::string id_;
    std::vector<std::string> names_;  // ` src_ip="`
};

class SyslogPacker final : public MessagePacker {
public:
    using Wall = std::function<std::chrono::system_clock::time_point()>;

    // `structured`: what the encoder makes is STRUCTURED-DATA, else MSG. `most`: octets of a message.
    SyslogPacker(
        const SyslogHeader& header, std::shared_ptr<const Encoder> encoder, bool structured, std::size_t most,
        Wall wall = [] { return std::chrono::system_clock::now(); });

    bool add(const FlowRecord& record) override;
    bool ready() const noexcept override { return full_; }
    bool empty() const noexcept override { return !full_; }
    void take(PackedMessage& out) override;
    void clear() noexcept override { full_ = false; }

private:
    void append_time();

    const std::shared_ptr<const Encoder> encoder_;
    const bool structured_;
    const std::size_t most_;
    const Wall wall_;
    std::string priority_, names_;  // what stands before and behind the time
    std::string text_;
    bool full_ = false;
};

}  // namespace nfstreamd::exporters
