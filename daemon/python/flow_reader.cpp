// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_reader.hpp"

#include <algorithm>
#include <utility>

namespace nfstreamd::python {
namespace {

// So long a signal may wait for Python to look at it.
constexpr std::chrono::milliseconds kWait{100};
// Flows of a file that wait for others, to come in nfstream's order; more are put in order in parts.
constexpr std::size_t kMostPending = std::size_t{1} << 16;

bool append_text(std::string& out, PyObject* object, bool quoted) {
    const Reference text(PyObject_Str(object));
    Py_ssize_t size = 0;
    const char* octets = text ? PyUnicode_AsUTF8AndSize(text.get(), &size) : nullptr;
    if (octets == nullptr) return false;
    const std::string_view view(octets, static_cast<std::size_t>(size));
    if (quoted)
        append_csv_text(out, view);
    else
        out += view;
    return true;
}

// As nfstream writes what Python has for a column.
bool append_python(std::string& out, PyObject* value) {
    if (value == Py_None) return true;
    return append_text(out, value, !PyFloat_Check(value) && !PyLong_Check(value));
}

bool append_hidden(std::string& out, PyObject* value, PyObject* pseudonym) {
    if (value == Py_None) return true;
    const Reference hidden(PyObject_CallOneArg(pseudonym, value));
    return hidden && append_python(out, hidden.get());
}

PyObject* as_object(FlowObject* flow) {
    return reinterpret_cast<PyObject*>(flow);
}

}  // namespace

bool FlowReader::Anonymization::hides(std::string_view column) const noexcept {
    return anonymizer != nullptr && std::find(columns.begin(), columns.end(), column) != columns.end();
}

// Columns of plugins: those of the first flow.
struct FlowReader::PluginColumns {
    bool known = false, told = false;
    std::vector<Reference> names;  // of attributes: texts, unless a plugin writes to __dict__
    std::vector<std::string> headings;
    std::vector<bool> hidden;
};

// Of one thread of Python: others come by while it waits, while objects are made, and while a plugin's code runs.
class FlowReader::Turn {
public:
    explicit Turn(FlowReader& reader) : taken_(reader.is_read_), is_ours_(!std::exchange(taken_, true)) {
        if (!is_ours_) PyErr_SetString(PyExc_ValueError, "flows are being read already");
    }
    ~Turn() {
        if (is_ours_) taken_ = false;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return is_ours_; }

private:
    bool& taken_;
    const bool is_ours_;
};

FlowReader::FlowReader(StreamOptions options, std::shared_ptr<const FlowSchema> schema, const PluginTypes& types,
                       std::vector<std::vector<Reference>> plugins)
    : schema_(std::move(schema)),
      types_(types),
      plugins_(std::move(plugins)),
      live_(options.live),
      idle_ms_(options.metering.idle_timeout.count()),
      stream_(std::make_unique<FlowStream>(std::move(options))) {}

FlowReader::~FlowReader() {
    close();
    stream_.reset();
    for (const auto& [id, flow] : kept_) Py_DECREF(as_object(flow));
    for (PyObject* object : {error_type_, error_value_, error_trace_}) Py_XDECREF(object);
}

Status FlowReader::start() {
    if (plugins_.empty() || plugins_.front().empty()) return stream_->start(nullptr);
    return stream_->start([this](std::uint32_t meter) -> std::unique_ptr<FlowHook> {
        return std::make_unique<PluginHook>(plugins_[meter], types_, schema_, *this);
    });
}

void FlowReader::close() {
    is_over_ = true;
    if (stream_->is_called_by_a_meter()) return stream_->stop();  // which cannot wait for itself
    Py_BEGIN_ALLOW_THREADS;
    stream_->abandon();
    Py_END_ALLOW_THREADS;
    clean_up();
}

void FlowReader::clean_up() {
    if (std::exchange(is_clean_, true)) return;
    PyObject *type, *value, *trace;  // of what may be under way
    PyErr_Fetch(&type, &value, &trace);
    for (const auto& instances : plugins_)
        for (const Reference& plugin : instances) {
            if (!PyObject_HasAttrString(plugin.get(), "cleanup")) continue;
            const Reference done(PyObject_CallMethod(plugin.get(), "cleanup", nullptr));
            if (!done) PyErr_WriteUnraisable(plugin.get());
        }
    PyErr_Restore(type, value, trace);
}

// ---- plugins ----

void FlowReader::keep(Reference flow, FlowRecord& record, Arena&) noexcept {
    auto* object = reinterpret_cast<FlowObject*>(flow.release());
    if (const auto [place, fresh] = kept_.try_emplace(record.id, object); !fresh)
        Py_DECREF(as_object(std::exchange(place->second, object)));
}

// The first error is raised where flows are read, and ends the run.
void FlowReader::failed(std::size_t) noexcept {
    if (has_failed_) return PyErr_Clear();
    PyErr_Fetch(&error_type_, &error_value_, &error_trace_);
    has_failed_ = true;
}

FlowObject* FlowReader::kept_flow(const RecordBatchPtr& batch, const FlowRecord& record) {
    const auto found = kept_.find(record.id);
    if (found == kept_.end()) return nullptr;
    FlowObject* flow = found->second;
    kept_.erase(found);
    flow->batch = batch;
    flow->record = &record;
    return flow;
}

// ---- batches ----

bool FlowReader::interrupted() {
    if (PyErr_CheckSignals() == 0) return false;
    if (!PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) || std::exchange(was_interrupted_, true)) return true;
    PyErr_Clear();
    stream_->stop();
    return false;
}

bool FlowReader::ended() {
    is_over_ = true;
    Status result = ok();
    Py_BEGIN_ALLOW_THREADS;
    result = stream_->result();
    Py_END_ALLOW_THREADS;
    clean_up();
    if (has_failed_) {
        PyErr_Restore(std::exchange(error_type_, nullptr), std::exchange(error_value_, nullptr),
                      std::exchange(error_trace_, nullptr));
        return false;
    }
    if (!result) PyErr_SetString(PyExc_ValueError, result.error().text().c_str());
    if (const auto dropped = stream_->records_dropped(); dropped > 0)
        PySys_WriteStderr("nfstreamd: the reader was too slow: %llu flows were dropped\n",
                          static_cast<unsigned long long>(dropped));
    return false;
}

bool FlowReader::next_batch(RecordBatchPtr& batch) {
    while (!is_over_) {
        FlowStream::Outcome outcome;
        Py_BEGIN_ALLOW_THREADS;
        outcome = stream_->next(batch, kWait);
        Py_END_ALLOW_THREADS;
        if (has_failed_) {
            Py_BEGIN_ALLOW_THREADS;
            stream_->abandon();
            Py_END_ALLOW_THREADS;
            return ended();
        }
        if (interrupted()) return false;
        if (outcome == FlowStream::Outcome::kBatch) return true;
        if (outcome == FlowStream::Outcome::kEnd) return ended();
    }
    return false;
}

// ---- flows ----

PyObject* FlowReader::make_flow(const RecordBatchPtr& batch, const FlowRecord& record) {
    FlowObject* flow = kept_flow(batch, record);
    if (flow == nullptr) flow = new_flow(types_.flow, schema_);
    if (flow == nullptr) return nullptr;
    flow->batch = batch;
    flow->record = &record;
    flow->id = next_id_++;
    return as_object(flow);
}

// Of older generations, those alone that the end of input has ended.
bool FlowReader::waits(const FlowRecord& record) const noexcept {
    return !live_ && (schema_->numbers_flows() || record.end_reason == EndReason::kEndOfInput);
}

void FlowReader::sort_pending() {
    std::vector<EndedFlow> ended;
    for (const Pending& flow : pending_) ended.emplace_back(*flow.record);
    std::vector<Pending> sorted;
    for (const std::uint32_t place : nfstream_order(ended, idle_ms_)) sorted.push_back(std::move(pending_[place]));
    pending_ = std::move(sorted);
    sorted_ = true;
}

PyObject* FlowReader::next() {
    const Turn turn(*this);
    if (!turn) return nullptr;
    for (;;) {
        if (sorted_ && given_ < pending_.size()) {
            Pending& flow = pending_[given_++];
            return make_flow(std::exchange(flow.batch, nullptr), *flow.record);
        }
        if (sorted_) {
            pending_.clear();
            given_ = 0;
            sorted_ = false;
        }
        while (batch_ && position_ < batch_->records.size()) {
            const FlowRecord& record = batch_->records[position_++];
            if (!waits(record)) return make_flow(batch_, record);
            pending_.push_back({batch_, &record});
            if (pending_.size() == kMostPending) break;
        }
        if (pending_.size() == kMostPending) {
            sort_pending();
            continue;
        }
        position_ = 0;
        if (!next_batch(batch_)) {
            batch_.reset();
            if (PyErr_Occurred() || pending_.empty()) return nullptr;
            sort_pending();
        }
    }
}

bool FlowReader::read_columns(const Anonymization& anonymization, PyObject* missing, std::vector<Column>& columns,
                              std::size_t& rows, Reference& flows) {
    const Turn turn(*this);
    if (!turn) return false;
    for (const InformationElement* field : schema_->fields())
        columns.emplace_back(*field, anonymization.hides(field->column) ? anonymization.anonymizer : nullptr, missing);
    std::vector<EndedFlow> waiting;  // for their order
    std::vector<std::uint32_t> order;
    const auto put_in_order = [&] {
        const auto from = static_cast<std::uint32_t>(order.size());
        for (const std::uint32_t place : nfstream_order(waiting, idle_ms_)) order.push_back(from + place);
        waiting.clear();
    };
    std::vector<Reference> with_values;
    const bool has_plugins = !plugins_.empty() && !plugins_.front().empty();
    for (RecordBatchPtr batch; next_batch(batch);) {
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (i != schema_->id()) columns[i].add(batch->records);
        for (const FlowRecord& record : batch->records) {
            if (live_)
                order.push_back(static_cast<std::uint32_t>(order.size()));
            else
                waiting.emplace_back(record);
            if (waiting.size() == kMostPending) put_in_order();
            if (has_plugins) with_values.emplace_back(as_object(kept_flow(batch, record)));
        }
    }
    if (PyErr_Occurred()) return false;
    put_in_order();
    rows = order.size();
    for (auto& column : columns) column.arrange(order);
    if (!has_plugins) return true;
    flows = Reference(PyList_New(0));
    for (const std::uint32_t row : order) {
        PyObject* flow = with_values[row] ? with_values[row].get() : Py_None;
        if (!flows || PyList_Append(flows.get(), flow) != 0) return false;
    }
    return true;
}

// ---- CSV ----

// Appends the row without the number of the flow, which is known when it is written.
bool FlowReader::append_row(std::string& out, const RecordBatchPtr& batch, const FlowRecord& record,
                            const Anonymization& anonymization, const std::vector<bool>& hidden,
                            PluginColumns& plugin_columns) {
    FlowObject* flow = plugins_.empty() || plugins_.front().empty() ? nullptr : kept_flow(batch, record);
    const Reference owner(as_object(flow));
    Reference values(flow != nullptr && flow->udps != nullptr ? PyObject_GetAttrString(flow->udps, "__dict__")
                                                              : nullptr);
    PyErr_Clear();
    if (values && !PyDict_Check(values.get())) values = Reference();  // a class has been put there
    if (values && !std::exchange(plugin_columns.known, true)) {
        PyObject *name, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(values.get(), &position, &name, &value)) {
            plugin_columns.names.push_back(Reference::to(name));
            const Reference full(PyUnicode_FromFormat("udps.%S", name));
            const char* text = full ? PyUnicode_AsUTF8(full.get()) : nullptr;
            if (text == nullptr) return false;
            plugin_columns.headings.emplace_back(text);
            plugin_columns.hidden.push_back(anonymization.hides(text));
        }
    }
    if (values && !plugin_columns.told &&
        PyDict_Size(values.get()) > static_cast<Py_ssize_t>(plugin_columns.names.size())) {
        plugin_columns.told = true;
        PySys_WriteStderr(
            "nfstreamd: plugins have given a flow values that the first one had not: no columns of CSV\n");
    }
    exporters::Anonymizer::Buffer pseudonym;
    const std::size_t begin = out.size();
    for (std::size_t i = 0; i <= schema_->fields().size(); ++i) {
        if (i == schema_->plugin_values())
            for (std::size_t n = 0; n < plugin_columns.names.size(); ++n) {
                if (out.size() > begin || i > 0) out += ',';
                const auto value = Reference::to(
                    values ? PyDict_GetItemWithError(values.get(), plugin_columns.names[n].get()) : nullptr);
                if (!value) continue;
                if (plugin_columns.hidden[n] ? !append_hidden(out, value.get(), anonymization.pseudonym)
                                             : !append_python(out, value.get()))
                    return false;
            }
        if (i == schema_->fields().size()) break;
        if (i == schema_->id()) continue;
        if (i > 0) out += ',';
        const auto changed = Reference::to(flow != nullptr && flow->changes != nullptr
                                               ? PyDict_GetItemWithError(flow->changes, schema_->name(i))
                                               : nullptr);
        if (changed) {
            if (hidden[i] ? !append_hidden(out, changed.get(), anonymization.pseudonym)
                          : !append_python(out, changed.get()))
                return false;
            continue;
        }
        const FieldValue value = schema_->fields()[i]->value(record);
        append_csv(out, hidden[i] ? anonymization.anonymizer->pseudonym(value, pseudonym) : value);
    }
    out += '\n';
    return true;
}

std::optional<std::uint64_t> FlowReader::read_csv(CsvFile& file, const Anonymization& anonymization) {
    const Turn turn(*this);
    if (!turn) return std::nullopt;
    std::vector<bool> hidden;
    for (const InformationElement* field : schema_->fields()) hidden.push_back(anonymization.hides(field->column));
    const bool numbered = schema_->id() != FlowSchema::kNone;
    PluginColumns plugin_columns;
    bool has_header = false;
    Status written = ok();
    std::string line;
    const auto write = [&](std::string_view row) {
        if (!std::exchange(has_header, true)) {
            std::string header;
            for (std::size_t i = 0; i <= schema_->fields().size(); ++i) {
                if (i == schema_->plugin_values())
                    for (const std::string& heading : plugin_columns.headings)
                        header.append(header.empty() ? "" : ",").append(heading);
                if (i < schema_->fields().size())
                    header.append(header.empty() ? "" : ",").append(schema_->fields()[i]->column);
            }
            file.set_header(header + '\n');
        }
        exporters::Anonymizer::Buffer pseudonym;
        line.clear();
        if (numbered) {
            const FieldValue id(file.rows());
            append_csv(line, hidden[schema_->id()] ? anonymization.anonymizer->pseudonym(id, pseudonym) : id);
        }
        line += row;
        written = file.add(line);
        return written.has_value();
    };

    std::vector<EndedFlow> waiting;  // for their order
    std::string text;                // their rows, and where each of them begins
    std::vector<std::size_t> rows{0};
    const auto write_waiting = [&] {
        const auto order = nfstream_order(waiting, idle_ms_);
        const bool done = std::all_of(order.begin(), order.end(), [&](std::uint32_t place) {
            return write(std::string_view(text).substr(rows[place], rows[place + 1] - rows[place]));
        });
        waiting.clear();
        text.clear();
        rows.resize(1);
        return done;
    };
    bool going = true;
    for (RecordBatchPtr batch; going && next_batch(batch);)
        for (const FlowRecord& record : batch->records) {
            if (!(going = append_row(text, batch, record, anonymization, hidden, plugin_columns))) break;
            if (waits(record)) {
                waiting.emplace_back(record);
                rows.push_back(text.size());
                if (waiting.size() == kMostPending) going = write_waiting();
            } else {
                going = write(std::string_view(text).substr(rows.back()));
                text.resize(rows.back());
            }
            if (!going) break;
        }
    if (going && !PyErr_Occurred() && write_waiting()) written = file.close();
    if (!written && !PyErr_Occurred()) PyErr_SetString(PyExc_OSError, written.error().text().c_str());
    if (PyErr_Occurred()) return std::nullopt;
    return file.rows();
}

}  // namespace nfstreamd::python
