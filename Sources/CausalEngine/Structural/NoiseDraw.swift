internal import CausalKernels
internal import Glibc

extension StructuralModel {
    /// Noise for new rows: (rows, noiseWidth). Row i depends on the seed and on i alone, so that runs with one seed differ by their
    /// scenario only, and a row is the same among few rows or many.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func drawNoise(rows: Int, firstRow: Int = 0, draws: Int? = nil, member: Int, seed: UInt64, into noise: UnsafeMutablePointer<Double>) throws(EngineError) {
        let districts = districts[member]
        let sources = mechanisms.list.indices.map { NoiseSource(mechanisms, $0, member: member) }
        try mechanisms.forEachChunk(of: rows) { chunk throws(EngineError) in
            for row in chunk {
                var random = Random(seed: seed, purpose: .noise, index: draws.map { (firstRow + row) % $0 } ?? firstRow + row)
                let target = noise + row * noiseWidth
                for district in districts {
                    // Those who have a hidden common cause take the noise of one and the same row.
                    let seen = district.rows.isEmpty ? 0 : Int(district.rows[random.index(below: district.rows.count)])
                    for v in district.variables {
                        let source = sources[v], target = target + source.offset
                        switch source.distribution {
                        case .gaussian: target[0] = random.gaussian()
                        case .gumbel: for k in 0..<source.width { target[k] = Gumbel.draw(&random) }
                        case nil: target[0] = source.residuals![seen]
                        }
                    }
                }
            }
        }
    }
}

/// Where one variable's noise comes from and goes to: plain numbers, since it is asked for every row. The model keeps the residuals alive.
private struct NoiseSource {
    let offset: Int
    let width: Int
    let distribution: NoiseLaw.Distribution?
    let residuals: UnsafePointer<Double>?

    init<Scalar: EngineScalar>(_ mechanisms: MechanismTable<Scalar>, _ v: Int, member: Int) {
        offset = mechanisms.noiseOffsets[v]
        width = mechanisms[v].noiseWidth
        distribution = mechanisms[v].distribution
        residuals = distribution == nil ? UnsafePointer(mechanisms[v].residuals[member].pointer) : nil
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
            let keptRows = learned.first.map { mechanisms[$0].residuals[member].count } ?? 0
            let rows = (0..<keptRows).filter { row in learned.allSatisfy { !mechanisms[$0].residuals[member].pointer[row].isNaN } }
            guard learned.isEmpty || !rows.isEmpty else {
                let names = learned.map { description.variables[$0].name }.joined(separator: ", ")
                throw EngineError(.value, "structural model: there is no row in which \(names) and their parents are known and none of them is set")
            }
            found.append(District(variables: variables, rows: rows.map(Int32.init)))
        }
        return found
    }
}

extension Random {
    /// Standard normal (Box and Muller 1958).
    mutating func gaussian() -> Double { (-2 * log(openUniform())).squareRoot() * cos(2 * Double.pi * openUniform()) }
}
