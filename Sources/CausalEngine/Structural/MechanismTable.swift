internal import CausalKernels

/// The mechanisms of all variables, in their order, and where each finds its noise in a row of noise.
struct MechanismTable<Scalar: EngineScalar>: Sendable {
    var list: [FittedMechanism<Scalar>]
    let noiseOffsets: [Int]
    /// Numbers in a row of noise.
    let noiseWidth: Int

    init(_ list: [FittedMechanism<Scalar>]) {
        self.list = list
        var offsets: [Int] = [], offset = 0
        for mechanism in list {
            offsets.append(offset)
            offset += mechanism.noiseWidth
        }
        noiseOffsets = offsets
        noiseWidth = offset
    }

    subscript(variable: Int) -> FittedMechanism<Scalar> { list[variable] }
    var count: Int { list.count }

    /// Rows of one pass: few enough that all variables stay in the cache.
    static var chunkRows: Int { 256 }

    /// Runs `body` on chunks of rows, on as many threads as are in use, and throws the error of the first chunk that failed.
    func forEachChunk(of rows: Range<Int>, _ body: (Range<Int>) throws(EngineError) -> Void) throws(EngineError) {
        let size = MechanismTable.chunkRows, chunks = (rows.count + size - 1) / size
        let failure = FirstFailure()
        let work = list.reduce(0) { $0 + ($1.model?.layout.count ?? 1) }
        Threads.run(chunks: chunks, work: rows.count * work) { chunk in
            guard !failure.happened(before: chunk) else { return }
            do throws(EngineError) {
                try body(rows.lowerBound + chunk * size..<min(rows.upperBound, rows.lowerBound + (chunk + 1) * size))
            } catch {
                failure.note(error, at: chunk)
            }
        }
        if let error = failure.error { throw error }
    }
}

/// The error of the smallest number, whoever was first.
private final class FirstFailure: @unchecked Sendable {
    private let lock = Lock()
    private var place = Int.max
    private(set) var error: EngineError?

    func note(_ error: EngineError, at place: Int) {
        lock.withLock {
            guard place < self.place else { return }
            self.place = place
            self.error = error
        }
    }

    func happened(before place: Int) -> Bool { lock.withLock { self.place < place } }
}
