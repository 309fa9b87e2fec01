internal import CausalKernels

extension StructuralModel {
    /// Noise for rows of these numbers. Row i depends on the seed and on i alone (i % draws, where draws are given), so that runs with one seed
    /// differ by their scenario only, and a row is the same among few rows or many.
    func drawNoise(_ rows: Range<Int>, draws: Int?, member: Int, seed: UInt64, into noise: Columns<Double>) throws(EngineError) {
        try withScratch(rows.count, Int.self) { seen throws(EngineError) in
            try withColumns(3, rows: rows.count, UInt64.self) { memory throws(EngineError) in
                var words = NoiseWords<Scalar>(memory, seed: seed) { i in draws.map { (rows.lowerBound + i) % $0 } ?? rows.lowerBound + i }
                for district in districts[member] {
                    // Those who have a hidden common cause take the noise of one and the same row.
                    if !district.rows.isEmpty {
                        let word = words.next(), count = UInt64(district.rows.count)
                        // Without the rejections that would make it even: what they would mend is below 2^-40.
                        for i in 0..<rows.count { seen[i] = Int(district.rows[Int(word[i].multipliedFullWidth(by: count).high)]) }
                    }
                    for v in district.variables {
                        let target = noise.from(mechanisms.noiseOffsets[v])
                        switch mechanisms[v].distribution {
                        case .gaussian: words.drawGaussian(into: target[0], rows.count)
                        case .gumbel: for level in 0..<mechanisms[v].noiseWidth { words.drawGumbel(into: target[level], rows.count) }
                        case nil:
                            let residuals = mechanisms[v].residuals[member].pointer
                            for i in 0..<rows.count { target[0][i] = residuals[seen[i]] }
                        }
                    }
                }
            }
        }
    }
}

/// The random words of some rows, each of which has a stream of its own: one word of every row at a time.
private struct NoiseWords<Scalar: EngineScalar> {
    private let seed: UInt64
    private let streams: Columns<UInt64>
    private var block: UInt64 = 0
    /// The second half of a block, where it waits.
    private var waiting: UnsafePointer<UInt64>?

    /// - Parameter memory: three columns.
    init(_ memory: Columns<UInt64>, seed: UInt64, stream: (_ row: Int) -> Int) {
        self.seed = seed
        streams = memory
        for i in 0..<memory.rows { memory[0][i] = UInt64(stream(i)) }
        for i in memory.rows..<memory.wholeRows { memory[0][i] = 0 }
    }

    /// Good until the next word.
    mutating func next() -> UnsafePointer<UInt64> {
        if let second = waiting {
            waiting = nil
            return second
        }
        Scalar.kernels.philox(key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)), purpose: Random.Purpose.noise.rawValue,
                              streams: streams[0], block: block, first: streams[1], second: streams[2], count: streams.wholeRows)
        block += 1
        waiting = UnsafePointer(streams[2])
        return UnsafePointer(streams[1])
    }

    /// `Random.gaussian` of every row.
    mutating func drawGaussian(into target: UnsafeMutablePointer<Double>, _ rows: Int) {
        let first = next()
        for i in 0..<rows { target[i] = Random.radius(first[i]) }
        let second = next()
        for i in 0..<rows { target[i] *= Random.cosine(second[i]) }
    }

    mutating func drawGumbel(into target: UnsafeMutablePointer<Double>, _ rows: Int) {
        let word = next()
        for i in 0..<rows { target[i] = Gumbel.quantile(Random.openUniform(word[i])) }
    }
}

/// Variables whose noise is drawn from one row.
struct District: Sendable {
    let variables: [Int]
    /// The kept rows in which all their noises are known; empty where none of them is learned.
    let rows: [Int32]

    /// - Throws: `.value` where hidden common causes connect variables whose noises are never known together.
    static func all<Scalar: EngineScalar>(_ description: StructuralDescription, _ mechanisms: MechanismTable<Scalar>, member: Int)
        throws(EngineError) -> [District] {
        var found: [District] = []
        for variables in description.districts {
            let learned = variables.filter { mechanisms[$0].distribution == nil }
            let residuals = learned.map { mechanisms[$0].residuals[member] }
            var rows: [Int32] = []
            for row in 0..<(residuals.first?.count ?? 0) where residuals.allSatisfy({ !$0.pointer[row].isNaN }) { rows.append(Int32(row)) }
            guard learned.isEmpty || !rows.isEmpty else {
                let names = learned.map { description.variables[$0].name }.joined(separator: ", ")
                throw EngineError(.value, "structural model: there is no row in which \(names) and their parents are known and none of them is set")
            }
            found.append(District(variables: variables, rows: rows))
        }
        return found
    }
}
