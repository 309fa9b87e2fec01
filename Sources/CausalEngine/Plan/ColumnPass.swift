internal import CausalKernels

/// A training step's pass by columns, with its memory: what `Plan.forward` and `backward` do, for narrow MLPs in less time.
///
/// Much work is divided among threads by chunks of rows. How many there are depends on the sizes alone, and the gradients of the chunks are
/// added up in their order, so that the bits do not depend on the number of threads.
final class ColumnPass<Scalar: EngineScalar> {
    private let network: ColumnNetwork
    private let outputSite: Int?
    private let parameterCount: Int
    private var rows = 0
    private var chunks: [Chunk] = []
    private var memory: Storage<Scalar>?
    /// The gradients of all chunks but the first.
    private var gradients: Storage<Scalar>?

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
    /// Rows, and multiply-adds of a pass, that a chunk has at least.
    private static var fewestRowsOfChunk: Int { 128 }
    private static var leastWorkOfChunk: Int { 1 << 19 }
    /// Chunks that threads share at most. There are more where these would have too many rows for the second cache, as long as all their gradients are
    /// no more than some numbers.
    private static var mostChunks: Int { 8 }
    private static var mostRowsOfChunk: Int { 512 }
    private static var mostGradients: Int { 1 << 19 }

    /// Nil for a network that is no narrow MLP.
    init?(_ plan: Plan, parameterCount: Int) {
        guard let network = plan.columns, network.widestLayer <= ColumnPass.widest else { return nil }
        self.network = network
        self.parameterCount = parameterCount
        outputSite = plan.outputSite
    }

    /// Whether it does a pass: enough rows to fill the lanes, and do() at the output alone. (What it sets at the input is in x.)
    func takes(rows: Int, _ edits: [SiteEdit<Scalar>?]) -> Bool {
        rows >= ColumnPass.fewestRows && edits.indices.allSatisfy { edits[$0] == nil || $0 == outputSite }
    }

    /// Writes y (rows, outputs), and keeps what `backward` needs.
    func forward(_ x: MatrixView<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>)
        throws(EngineError) {
        try makeRoom(x.rows)
        let answer = MutableMatrixView(y, rows: x.rows, columns: network.outputs)
        forEachChunk { chunk, _ in
            chunk.x.read(x, from: chunk.firstRow)
            chunk.x.fillUp(x.columns)
            network.forward(chunk.x, parameters, setting: [], chunk.trace, into: chunk.outputs)
            chunk.outputs.write(to: answer, from: chunk.firstRow)
        }
        if let edit = outputSite.flatMap({ edits[$0] }) {
            Scalar.kernels.select(y, mask: edit.mask, maskStride: edit.maskStride, values: edit.values, valueStride: edit.valueStride, into: y,
                                  rows: x.rows, columns: network.outputs)
        }
    }

    /// Writes the gradient of all parameters, or adds it, from that of y, which is changed.
    func backward(_ dy: UnsafeMutablePointer<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>,
                  into gradient: UnsafeMutablePointer<Scalar>, accumulates: Bool) {
        let kernels = Scalar.kernels
        if let edit = outputSite.flatMap({ edits[$0] }) {
            kernels.selectGradient(dy, mask: edit.mask, maskStride: edit.maskStride, valueGradient: nil, valueStride: 0, rows: rows,
                                   columns: network.outputs)
        }
        let slopes = MatrixView(dy, rows: rows, columns: network.outputs), others = gradients?.pointer, count = parameterCount
        forEachChunk { chunk, number in
            chunk.outputs.read(slopes, from: chunk.firstRow)
            chunk.outputs.fillUp(slopes.columns)
            let targets = number == 0 ? ColumnNetwork.Targets(parameters: gradient, accumulates: accumulates)
                : ColumnNetwork.Targets(parameters: others! + (number - 1) * count)
            network.backward(chunk.outputs, chunk.x, parameters, setting: [], chunk.trace, into: targets) { _, _, _ in }
        }
        for number in 1..<max(chunks.count, 1) { kernels.add(others! + (number - 1) * count, to: gradient, count: count) }
    }

    private func forEachChunk(_ body: (Chunk, _ number: Int) -> Void) {
        guard chunks.count > 1 else { return body(chunks[0], 0) }
        Threads.run(chunks: chunks.count, work: 2 * rows * parameterCount, repeats: true) { body(chunks[$0], $0) }
    }

    private func makeRoom(_ rows: Int) throws(EngineError) {
        guard rows != self.rows else { return }
        let shared = min(rows * parameterCount / ColumnPass.leastWorkOfChunk, rows / ColumnPass.fewestRowsOfChunk, ColumnPass.mostChunks)
        let cached = min(rows / ColumnPass.mostRowsOfChunk, ColumnPass.mostGradients / parameterCount)
        // A power of two divides evenly among as many threads.
        let wanted = max(1 << (Int.bitWidth - 1 - max(shared, 1).leadingZeroBitCount), cached)
        let size = Columns<Scalar>.whole((rows + wanted - 1) / wanted), count = (rows + size - 1) / size
        let inputs = network.inputs, hidden = inputs + network.traceColumns, outputs = hidden + network.outputs
        let each = try Columns<Scalar>.size(outputs, rows: size), needed = count * each
        if memory.map({ $0.count < needed }) ?? true { memory = try Storage(count: needed, of: "columns of \(rows) rows") }
        if count > 1, gradients.map({ $0.count < (count - 1) * parameterCount }) ?? true {
            gradients = try Storage(count: checkedSize(count - 1, parameterCount, of: "gradients"), of: "gradients")
        }
        chunks = stride(from: 0, to: rows, by: size).enumerated().map { number, first in
            let columns = Columns(memory!.pointer + number * each, rows: min(size, rows - first))
            return Chunk(firstRow: first, x: columns, trace: network.trace(in: columns.from(inputs)), outputs: columns.from(hidden))
        }
        self.rows = rows
    }
}
