// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/fixbuf_model.hpp"

#include <fixbuf/public.h>
#include <fmt/format.h>

#include <memory>
#include <mutex>
#include <utility>

namespace nfstreamd::exporters::ipfix {
namespace {

static_assert(kVariableLength == FB_IE_VARLEN);

// A GError that starts as the library wants it and is freed whatever happens.
class ErrorSlot {
public:
    ErrorSlot() = default;
    ErrorSlot(const ErrorSlot&) = delete;
    ErrorSlot& operator=(const ErrorSlot&) = delete;
    ~ErrorSlot() { g_clear_error(&error_); }

    GError** fresh() {
        g_clear_error(&error_);
        return &error_;
    }
    bool is_end_of_message() const { return g_error_matches(error_, FB_ERROR_DOMAIN, FB_ERROR_EOM); }
    Error as_error(std::string_view what) const {
        return {ErrorCode::kInternal,
                fmt::format("libfixbuf cannot {}: {}", what, error_ != nullptr ? error_->message : "no reason given"),
                ""};
    }

private:
    GError* error_ = nullptr;
};

// The library warns through GLib's log; what matters comes back as an error too,
// and standard error belongs to our own log.
void ignore_log(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

void silence_library() {
    static std::once_flag once;
    std::call_once(once, [] { g_log_set_handler(nullptr, G_LOG_LEVEL_MASK, ignore_log, nullptr); });
}

struct ModelFree {
    void operator()(fbInfoModel_t* model) const { fbInfoModelFree(model); }
};
struct BufferFree {
    void operator()(fBuf_t* buffer) const { fBufFree(buffer); }
};
struct SessionFree {
    void operator()(fbSession_t* session) const { fbSessionFree(session); }
};
struct TemplateFree {
    void operator()(fbTemplate_t* tmpl) const { fbTemplateFreeUnused(tmpl); }
};
using TemplatePtr = std::unique_ptr<fbTemplate_t, TemplateFree>;

std::uint8_t data_type(IeType type) {
    switch (type) {
        case IeType::kUnsigned8:
            return FB_UINT_8;
        case IeType::kUnsigned16:
            return FB_UINT_16;
        case IeType::kUnsigned32:
            return FB_UINT_32;
        case IeType::kUnsigned64:
            return FB_UINT_64;
        case IeType::kSigned32:
            return FB_INT_32;
        case IeType::kSigned64:
            return FB_INT_64;
        case IeType::kFloat64:
            return FB_FLOAT_64;
        case IeType::kBoolean:
            return FB_BOOL;
        case IeType::kMacAddress:
            return FB_MAC_ADDR;
        case IeType::kDateTimeMilliseconds:
            return FB_DT_MILSEC;
        case IeType::kString:
        case IeType::kAny:
            return FB_STRING;
        case IeType::kIpAddress:
        case IeType::kOctetArray:
            return FB_OCTET_ARRAY;
        case IeType::kSigned8List:
        case IeType::kUnsigned16List:
        case IeType::kGapList:
        case IeType::kSigned32List:
            return FB_BASIC_LIST;
    }
    return FB_OCTET_ARRAY;
}

// Without FB_IE_F_ENDIAN a number would leave in the machine's byte order.
std::uint32_t element_flags(IeType type) {
    switch (type) {
        case IeType::kMacAddress:
        case IeType::kIpAddress:
        case IeType::kString:
        case IeType::kOctetArray:
        case IeType::kSigned8List:
        case IeType::kUnsigned16List:
        case IeType::kGapList:
        case IeType::kSigned32List:
        case IeType::kAny:
        case IeType::kBoolean:
            return FB_IE_F_NONE;
        default:
            return FB_IE_F_ENDIAN;
    }
}

// The type's own octets: a template may give a number fewer (RFC 7011, 6.2).
std::uint16_t model_length(const FieldPlan& plan) {
    switch (plan.field->type) {
        case IeType::kUnsigned16:
            return 2;
        case IeType::kUnsigned32:
        case IeType::kSigned32:
            return 4;
        case IeType::kUnsigned64:
        case IeType::kSigned64:
            return 8;
        default:
            return plan.length;
    }
}

const fbInfoElement_t* ensure_element(fbInfoModel_t* model, const FieldPlan& plan) {
    if (const auto* known = fbInfoModelGetElementByID(model, plan.ie.id, plan.ie.pen)) return known;
    const std::string name(ipfix_name(*plan.field, plan.ie));  // the model keeps copies
    fbInfoElement_t element{};
    element.ref.name = name.c_str();
    element.ent = plan.ie.pen;
    element.num = plan.ie.id;
    element.len = model_length(plan);
    element.flags = element_flags(plan.field->type);
    element.type = data_type(plan.field->type);
    fbInfoModelAddElement(model, &element);
    return fbInfoModelGetElementByID(model, plan.ie.id, plan.ie.pen);
}

bool append_field(fbInfoModel_t* model, fbTemplate_t* tmpl, const FieldPlan& plan, ErrorSlot& error) {
    const fbInfoElement_t* element = ensure_element(model, plan);
    if (element == nullptr) return false;
    fbInfoElementSpec_t spec{const_cast<char*>(element->ref.name), plan.length, 0};
    return fbTemplateAppendSpec(tmpl, &spec, 0, error.fresh()) != FALSE;
}

// Hands the template to the session, which owns it from then on.
Status add_template(fbSession_t* session, fbInfoModel_t* model, const SessionTemplate& added) {
    ErrorSlot error;
    TemplatePtr tmpl(fbTemplateAlloc(model));
    for (const FieldPlan& plan : added.layout->fields())
        if (!append_field(model, tmpl.get(), plan, error))
            return error.as_error(fmt::format("put {} into a template", plan.field->column));
    if (fbSessionAddTemplate(session, FALSE, added.id, tmpl.get(), error.fresh()) == 0)
        return error.as_error("add a template");
    tmpl.release();
    return ok();
}

// A session and the buffer it writes to. The templates are added before the
// buffer exists, as the library would write them into it at once.
class TemplateWriter {
public:
    Status open(std::uint32_t domain, std::uint16_t max_message, std::span<const SessionTemplate> templates) {
        std::unique_ptr<fbSession_t, SessionFree> fresh(fbSessionAlloc(model_.get()));
        fbSessionSetDomain(fresh.get(), domain);
        for (const SessionTemplate& t : templates)
            if (Status status = add_template(fresh.get(), model_.get(), t); !status) return status;
        out_.resize(max_message);
        session_ = fresh.release();
        exporter_ = fbExporterAllocBuffer(out_.data(), max_message);
        buffer_.reset(fBufAllocForExport(session_, exporter_));
        fBufSetAutomaticMode(buffer_.get(), FALSE);
        return ok();
    }

    Status add(std::uint16_t id) {
        ErrorSlot error;
        bool done = fbSessionExportTemplate(session_, id, error.fresh()) != FALSE;
        if (!done && error.is_end_of_message())  // a new session begins in the state for data
            done = fbSessionExportTemplate(session_, id, error.fresh()) != FALSE;
        if (!done) return error.as_error("encode a template");
        has_content_ = true;
        return ok();
    }

    void end_message(std::vector<std::vector<std::uint8_t>>& messages) {
        ErrorSlot error;
        if (!std::exchange(has_content_, false) || !fBufEmit(buffer_.get(), error.fresh())) return;
        messages.emplace_back(out_.data(), out_.data() + fbExporterGetMsgLen(exporter_));
    }

private:
    const std::unique_ptr<fbInfoModel_t, ModelFree> model_{fbInfoModelAlloc()};  // before its users: it goes last
    std::vector<std::uint8_t> out_;
    fbSession_t* session_ = nullptr;    // owned by the buffer
    fbExporter_t* exporter_ = nullptr;  // owned by the buffer
    std::unique_ptr<fBuf_t, BufferFree> buffer_;
    bool has_content_ = false;
};

}  // namespace

Result<std::vector<std::vector<std::uint8_t>>> template_messages(std::uint32_t domain, std::uint16_t max_message,
                                                                 std::span<const SessionTemplate> templates) {
    silence_library();
    std::vector<std::vector<std::uint8_t>> messages;
    TemplateWriter writer;
    if (Status status = writer.open(domain, max_message, templates); !status) return status.error();
    std::size_t length = kMessageHeader;
    for (const SessionTemplate& t : templates) {
        const std::size_t needed = kSetHeader + t.layout->template_wire_length();
        if (kMessageHeader + needed > max_message)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a template of {} octets does not fit a message of {}; send fewer fields or "
                                     "raise mtu",
                                     needed, max_message),
                         ""};
        if (length + needed > max_message) {
            writer.end_message(messages);
            length = kMessageHeader;
        }
        length += needed;
        if (Status status = writer.add(t.id); !status) return status.error();
    }
    writer.end_message(messages);
    return messages;
}

namespace {

WireType wire_type(std::uint8_t type) {
    switch (type) {
        case FB_UINT_8:
        case FB_UINT_16:
        case FB_UINT_32:
        case FB_UINT_64:
            return WireType::kUnsigned;
        case FB_INT_8:
        case FB_INT_16:
        case FB_INT_32:
        case FB_INT_64:
            return WireType::kSigned;
        case FB_FLOAT_32:
        case FB_FLOAT_64:
            return WireType::kFloat;
        case FB_BOOL:
            return WireType::kBoolean;
        case FB_MAC_ADDR:
            return WireType::kMacAddress;
        case FB_STRING:
            return WireType::kString;
        case FB_DT_SEC:
            return WireType::kSeconds;
        case FB_DT_MILSEC:
            return WireType::kMilliseconds;
        case FB_DT_MICROSEC:
            return WireType::kMicroseconds;
        case FB_DT_NANOSEC:
            return WireType::kNanoseconds;
        case FB_IP4_ADDR:
            return WireType::kIpv4Address;
        case FB_IP6_ADDR:
            return WireType::kIpv6Address;
        case FB_BASIC_LIST:
            return WireType::kBasicList;
        case FB_SUB_TMPL_LIST:
            return WireType::kSubTemplateList;
        case FB_SUB_TMPL_MULTI_LIST:
            return WireType::kSubTemplateMultiList;
        default:
            return WireType::kOctetArray;
    }
}

}  // namespace

std::optional<KnownElement> known_element(std::uint32_t pen, std::uint16_t id) {
    static const std::unique_ptr<fbInfoModel_t, ModelFree> model(fbInfoModelAlloc());  // never changed: readers only
    const fbInfoElement_t* element = fbInfoModelGetElementByID(model.get(), id, pen);
    if (element == nullptr) return std::nullopt;
    return KnownElement{element->ref.name, wire_type(element->type)};
}

std::string fixbuf_version() {
    return fmt::format("{}.{}.{}", FIXBUF_VERSION_MAJOR, FIXBUF_VERSION_MINOR, FIXBUF_VERSION_RELEASE);
}

}  // namespace nfstreamd::exporters::ipfix
