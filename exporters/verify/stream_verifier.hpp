// SPDX-License-Identifier: Apache-2.0
// What one collector would keep, misread or drop of a stream, as the stream
// comes. An observer of a MessageReader, in its thread; bounded as that is.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/verify/collector_profile.hpp"

namespace nfstreamd::exporters::verify {

struct Finding {
    Outcome outcome;
    std::string subject;     // an element, or what else it is about
    std::string_view units;  // of the count
    std::uint64_t count = 0;
    Reason reason;
};

class StreamVerifier final : public ipfix::ReaderObserver {
public:
    explicit StreamVerifier(const CollectorProfile& profile);
    ~StreamVerifier() override;

    void on_message(const ipfix::MessageHeader& header) override;
    void on_template(const ipfix::MessageHeader& header, std::uint16_t id, const ipfix::ReadTemplate& tmpl) override;
    void on_withdrawal(const ipfix::MessageHeader& header, std::uint16_t id) override;
    void on_record(const ipfix::MessageHeader& header, std::uint16_t id, const ipfix::ReadTemplate& tmpl,
                   std::span<const std::span<const std::uint8_t>> values) override;
    void on_padding(const ipfix::MessageHeader& header, std::uint16_t id, std::size_t octets) override;
    void on_unknown_set(const ipfix::MessageHeader& header, std::uint16_t id) override;

    const CollectorProfile& profile() const noexcept { return profile_; }
    std::uint64_t messages() const noexcept { return messages_; }
    std::uint64_t records() const noexcept { return records_; }
    std::vector<Finding> findings() const;  // the worst first
    bool finds_harm() const;                // something would be lost, misread or dropped

private:
    struct Domain;
    struct KnownTemplate;

    Domain& domain_of(const ipfix::MessageHeader& header);
    KnownTemplate& template_of(Domain& domain, std::uint16_t id);
    void judge(const ipfix::MessageHeader& header, const Domain& domain, const ipfix::ReadTemplate& tmpl,
               KnownTemplate& known);
    bool is_dropped(const ipfix::MessageHeader& header, const KnownTemplate& known, const RecordView& record);
    void learn_facts(Domain& domain, const RecordView& record);
    std::size_t finding(Outcome outcome, std::string subject, std::string_view units, const Reason& reason);
    void count(Outcome outcome, std::string subject, std::string_view units, const Reason& reason);

    const CollectorProfile& profile_;
    std::map<std::string, std::unique_ptr<Domain>, std::less<>> domains_;
    std::map<std::string, std::string>
        template_owners_;  // of ids in domains, for collectors that do not ask who sent it
    std::map<std::string, std::size_t> finding_of_;
    std::vector<Finding> findings_;
    std::size_t templates_ = 0;  // of all domains
    std::uint64_t messages_ = 0, records_ = 0;
};

}  // namespace nfstreamd::exporters::verify
