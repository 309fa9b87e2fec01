internal import CausalKernels

/// A training step's pass by columns, with its memory: what `Plan.forward` and `backward` do, for narrow MLPs in less time.
///
/// Much work is divided among threads by parts of the rows, each of which is passed over in chunks that stay in the second cache. How many there are
/// depends on the sizes alone, and their gradients are added up in their order, so that the bits do not depend on the number of threads.
final class ColumnPass<Scalar: EngineScalar> {
    private let network: ColumnNetwork
    private let parameterCount: Int
    private var rows = 0
    private var parts: [[Chunk]] = []
    private var memory: Storage<Scalar>?
    /// The gradients of all parts but the first.
    private var gradients: Storage<Scalar>?
    /// Of each part.
    private var panels: Storage<Scalar>?
    private var panelCount = 0

    private struct Chunk {
        let firstRow: Int
        let x: Columns<Scalar>
        let trace: ColumnNetwork.Trace<Scalar>
        /// Of the answers, and then of their gradients.
        let outputs: Columns<Scalar>
    }

    /// Units of a layer up to which columns are faster.
    private static var widest: Int { 128 }
    private static var fewestRows: Int { 16 }
    /// Rows, and multiply-adds of a pass, that a part has at least: to share less takes longer where cores are far apart.
    private static var fewestRowsOfPart: Int { 128 }
    private static var leastWorkOfPart: Int { 1 << 19 }
    private static var mostParts: Int { 8 }
    /// More rows of a few layers would not stay in the second cache.
    private static var mostRowsOfChunk: Int { 1024 }

    /// Nil for a network that is no narrow MLP.
    init?(_ plan: Plan, parameterCount: Int) {
        guard let network = plan.columns, network.widestLayer <= ColumnPass.widest else { return nil }
        self.network = network
        self.parameterCount = parameterCount
    }

    /// Whether it does a pass: enough rows to fill the lanes, and do() where layers end. (What it sets at the input is in x.)
    func takes(rows: Int, _ edits: [SiteEdit<Scalar>?]) -> Bool {
        rows >= ColumnPass.fewestRows && edits.indices.allSatisfy { site in edits[site] == nil || network.layers.contains { $0.site == site } }
    }

    /// Writes y (rows, outputs), and keeps what `backward` needs.
    func forward(_ x: MatrixView<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>)
        throws(EngineError) {
        try makeRoom(x.rows)
        let answer = MutableMatrixView(y, rows: x.rows, columns: network.outputs)
        forEachPart { chunks, _ in
            for chunk in chunks {
                chunk.x.read(x, from: chunk.firstRow)
                chunk.x.fillUp(x.columns)
                network.forward(chunk.x, parameters, setting: edits, from: chunk.firstRow, chunk.trace, into: chunk.outputs)
                chunk.outputs.write(to: answer, from: chunk.firstRow)
            }
        }
    }

    /// Writes the gradient of all parameters, or adds it, from that of y.
    func backward(_ dy: UnsafePointer<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>,
                  into gradient: UnsafeMutablePointer<Scalar>, accumulates: Bool) {
        let kernels = Scalar.kernels
        let slopes = MatrixView(dy, rows: rows, columns: network.outputs), others = gradients?.pointer, count = parameterCount
        let panels = panels!.pointer, panelCount = panelCount
        forEachPart { chunks, number in
            let panel = panels + number * panelCount
            var targets = number == 0 ? ColumnNetwork.Targets(parameters: gradient, panel: panel, accumulates: accumulates)
                : ColumnNetwork.Targets(parameters: others! + (number - 1) * count, panel: panel)
            for chunk in chunks {
                chunk.outputs.read(slopes, from: chunk.firstRow)
                chunk.outputs.fillUp(slopes.columns)
                network.backward(chunk.outputs, chunk.x, parameters, setting: edits, from: chunk.firstRow, chunk.trace, into: targets)
                targets.accumulates = true
            }
        }
        for number in 1..<max(parts.count, 1) { kernels.add(others! + (number - 1) * count, to: gradient, count: count) }
    }

    private func forEachPart(_ body: ([Chunk], _ number: Int) -> Void) {
        Threads.run(chunks: parts.count, work: 2 * rows * network.workOfRow, repeats: true) { body(parts[$0], $0) }
    }

    private func makeRoom(_ rows: Int) throws(EngineError) {
        guard rows != self.rows else { return }
        self.rows = 0
        // A power of two divides evenly among as many threads.
        let most = max(min(rows * parameterCount / ColumnPass.leastWorkOfPart, rows / ColumnPass.fewestRowsOfPart, ColumnPass.mostParts), 1)
        let shift = Int.bitWidth - 1 - most.leadingZeroBitCount, rowsOfPart = Columns<Scalar>.whole((rows + (1 << shift) - 1) >> shift)
        let rowsOfParts = stride(from: 0, to: rows, by: rowsOfPart).map { first in
            let last = min(first + rowsOfPart, rows)
            return stride(from: first, to: last, by: ColumnPass.mostRowsOfChunk).map { $0..<min($0 + ColumnPass.mostRowsOfChunk, last) }
        }
        let inputs = network.inputs, hidden = inputs + network.traceColumns, outputs = hidden + network.outputs
        var needed = 0
        for rows in rowsOfParts.joined() { needed += try Columns<Scalar>.size(outputs, rows: rows.count) }
        if memory.map({ $0.count < needed }) ?? true { memory = try Storage(count: needed, of: "columns of \(rows) rows") }
        var place = memory!.pointer
        parts = rowsOfParts.map { chunks in
            chunks.map { rows in
                let columns = Columns(place, rows: rows.count)
                place = columns[outputs]
                return Chunk(firstRow: rows.lowerBound, x: columns, trace: network.trace(in: columns.from(inputs)), outputs: columns.from(hidden))
            }
        }
        if parts.count > 1, gradients.map({ $0.count < (parts.count - 1) * parameterCount }) ?? true {
            gradients = try Storage(count: checkedSize(parts.count - 1, parameterCount, of: "gradients"), of: "gradients")
        }
        panelCount = ColumnNetwork.Targets<Scalar>.panelCount(rows: min(rowsOfPart, ColumnPass.mostRowsOfChunk))
        if panels.map({ $0.count < parts.count * panelCount }) ?? true {
            panels = try Storage(count: parts.count * panelCount, of: "columns of \(rows) rows")
        }
        self.rows = rows
    }
}
