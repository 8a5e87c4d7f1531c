// SPDX-License-Identifier: Apache-2.0
// What Python reads of a run: flows one by one, as columns, or into a CSV file.
// Gives flows back to the plugins' values that belong to them. All with the
// interpreter's lock, which is let go while there is nothing to read.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/python/columns.hpp"
#include "daemon/python/csv_file.hpp"
#include "daemon/python/flow_object.hpp"
#include "daemon/python/flow_order.hpp"
#include "daemon/python/flow_stream.hpp"
#include "daemon/python/plugin_hook.hpp"

namespace nfstreamd::python {

class FlowReader final : public PluginHost {
public:
    FlowReader(StreamOptions options, std::shared_ptr<const FlowSchema> schema, const PluginTypes& types,
               std::vector<std::vector<Reference>> plugins);
    ~FlowReader() override;

    Status start();

    // Null with or without a Python error: the end. A signal that Python would raise
    // KeyboardInterrupt for ends the run as the end of input does; a second one is raised.
    PyObject* next();

    struct Anonymization {
        std::vector<std::string> columns;
        const exporters::Anonymizer* anonymizer;  // null: nothing is hidden
        PyObject* pseudonym;                      // of a value of a plugin, a callable
        bool hides(std::string_view column) const noexcept;
    };
    // False: a Python error is set. What plugins have left of each flow goes into
    // `flows`, a list of flows, or is null without plugins.
    bool read_columns(const Anonymization& anonymization, PyObject* missing, std::vector<Column>& columns,
                      std::size_t& rows, Reference& flows);
    // The number of flows; nothing: a Python error is set.
    std::optional<std::uint64_t> read_csv(CsvFile& file, const Anonymization& anonymization);

    void close();  // ends the run if it has not ended; plugins clean up, unless one of them calls it: at the end then
    // Garbage is collected by whatever thread comes by, and a metering thread cannot wait for itself.
    bool is_called_by_a_meter() const { return stream_->is_called_by_a_meter(); }
    StreamTotals totals() const { return stream_->totals(); }
    const FlowSchema& schema() const noexcept { return *schema_; }

    void keep(Reference flow, FlowRecord& record, Arena& arena) noexcept override;
    void failed(std::size_t plugin) noexcept override;

private:
    struct Pending {  // a flow that waits for those that come before it
        RecordBatchPtr batch;
        const FlowRecord* record;
    };
    struct PluginColumns;
    class Turn;

    bool next_batch(RecordBatchPtr& batch);  // false: the end, or a Python error is set
    bool interrupted();
    bool ended();
    bool waits(const FlowRecord& record) const noexcept;
    void sort_pending();
    FlowObject* kept_flow(const RecordBatchPtr& batch,
                          const FlowRecord& record);  // owned; null: plugins have no values for it
    PyObject* make_flow(const RecordBatchPtr& batch, const FlowRecord& record);
    bool append_row(std::string& out, const RecordBatchPtr& batch, const FlowRecord& record,
                    const Anonymization& anonymization, const std::vector<bool>& hidden, PluginColumns& plugin_columns);
    void clean_up();

    const std::shared_ptr<const FlowSchema> schema_;
    const PluginTypes types_;
    const std::vector<std::vector<Reference>> plugins_;  // by meter
    const bool live_;
    const std::int64_t idle_ms_;
    std::unique_ptr<FlowStream> stream_;
    std::unordered_map<std::uint64_t, FlowObject*> kept_;                               // by FlowRecord::id; owned
    PyObject *error_type_ = nullptr, *error_value_ = nullptr, *error_trace_ = nullptr;  // of a plugin
    bool is_read_ = false;                                                              // by a thread of Python
    bool has_failed_ = false, is_over_ = false, is_clean_ = false, was_interrupted_ = false;

    RecordBatchPtr batch_;
    std::size_t position_ = 0;  // in it
    std::vector<Pending> pending_;
    std::size_t given_ = 0;  // of pending_
    bool sorted_ = false;
    std::int64_t next_id_ = 0;
};

}  // namespace nfstreamd::python
