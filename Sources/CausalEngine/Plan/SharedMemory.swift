/// Where gradients go in a pass whose way back is the last to read the values: into the memory of values that have been read.
///
/// In an MLP the gradients of a layer replace the values of the one after it, and all of them together take as much as one layer.
struct SharedMemory {
    /// Units before the gradient of each buffer, as `Plan.Buffer.start` counts those before its values.
    private(set) var starts: [Int]
    /// Elements of all values and gradients for one row.
    private(set) var unitsPerRow: Int

    private var gaps: [Range<Int>] = []

    init(_ plan: Plan) {
        starts = [Int](repeating: 0, count: plan.buffers.count)
        unitsPerRow = plan.unitsPerRow
        let lifetimes = Lifetimes(plan)
        func byTime(_ times: [Int?]) -> [[Int]] {
            var buffers = [[Int]](repeating: [], count: lifetimes.count)
            for (buffer, time) in times.enumerated() {
                if let time { buffers[time].append(buffer) }
            }
            return buffers
        }
        let begin = byTime(lifetimes.gradients.map { $0?.lowerBound }), end = byTime(lifetimes.gradients.map { $0?.upperBound })
        let read = byTime(lifetimes.valueEnds)
        for time in 0..<lifetimes.count {
            for buffer in begin[time] { starts[buffer] = take(plan.buffers[buffer].width) }
            for buffer in end[time] { free(starts[buffer], plan.buffers[buffer].width) }
            for buffer in read[time] { free(plan.buffers[buffer].start, plan.buffers[buffer].width) }
        }
    }

    /// The first gap that is wide enough, or room behind everything else.
    private mutating func take(_ width: Int) -> Int {
        if let k = gaps.firstIndex(where: { $0.count >= width }) {
            let start = gaps[k].lowerBound
            gaps[k] = start + width..<gaps[k].upperBound
            if gaps[k].isEmpty { gaps.remove(at: k) }
            return start
        }
        var start = unitsPerRow
        if let last = gaps.last, last.upperBound == unitsPerRow {
            start = last.lowerBound
            gaps.removeLast()
        }
        unitsPerRow = start + width
        return start
    }

    private mutating func free(_ start: Int, _ width: Int) {
        guard width > 0 else { return }
        let k = gaps.firstIndex { $0.lowerBound > start } ?? gaps.count
        gaps.insert(start..<start + width, at: k)
        for left in [k, k - 1] where left >= 0 && left + 1 < gaps.count && gaps[left].upperBound == gaps[left + 1].lowerBound {
            gaps[left] = gaps[left].lowerBound..<gaps.remove(at: left + 1).upperBound
        }
    }
}

/// When the way back last reads values, and when it needs gradients. At time 0 it has not begun, at 1 it gets the gradient of the output; then it goes
/// through the steps from the last to the first, each of two times: a dense step reads the values of its outputs before it writes the gradients of its inputs.
private struct Lifetimes {
    let count: Int
    /// By buffer; 0 where nobody reads them.
    private(set) var valueEnds: [Int]
    /// By buffer; nil where no gradient is wanted.
    private(set) var gradients: [ClosedRange<Int>?]

    private let wantsInput: Bool

    init(_ plan: Plan) {
        count = 2 * plan.steps.count + 2
        wantsInput = plan.hasBiasOnInput || plan.output == 0
        valueEnds = [Int](repeating: 0, count: plan.buffers.count)
        gradients = [ClosedRange<Int>?](repeating: nil, count: plan.buffers.count)
        // The output's is given, and what several add to is cleared, before anything else.
        for (number, buffer) in plan.buffers.enumerated() where number == plan.output || !buffer.hasOneWriter { use(number, at: 1) }
        for (k, step) in plan.steps.reversed().enumerated() {
            let first = 2 * k + 2, second = first + 1
            switch step {
            case .load: break
            case .dense(let dense):
                if dense.activation != .identity { valueEnds[dense.to] = first }
                valueEnds[dense.from] = second
                use(dense.to, at: second)
                use(dense.from, at: second)
            case .bias(let buffer, _, _), .intervene(_, let buffer, _): use(buffer, at: second)
            case .activate(_, let from, let to):
                valueEnds[from] = second
                valueEnds[to] = second
                use(to, at: second)
                use(from, at: second)
            case .copy(let copy):
                use(copy.to, at: second)
                use(copy.from, at: second)
            }
        }
    }

    private mutating func use(_ gradient: Int, at time: Int) {
        guard gradient != 0 || wantsInput else { return }
        gradients[gradient] = (gradients[gradient]?.lowerBound ?? time)...time
    }
}
