extension Plan {
    /// Which entries of an input row reach the answer, not 0 where one does: a path leads from it to the output that meets no unit set by
    /// do() and no edge that is not there. Found backwards, step by step, as a gradient is, but from the masks alone.
    ///
    /// - Parameter masks: for each site the row's mask, or nil.
    func reach(under masks: [UnsafePointer<UInt8>?]) -> [UInt8] {
        var units = [UInt8](repeating: 0, count: unitsPerRow)
        units.withUnsafeMutableBufferPointer { units in
            func reached(_ buffer: Int) -> UnsafeMutablePointer<UInt8> { units.baseAddress! + buffers[buffer].start }
            reached(output).update(repeating: 1, count: outputWidth)
            for step in steps.reversed() {
                switch step {
                case .load, .bias: break
                case .dense(let dense): reach(back: dense, from: reached(dense.to), to: reached(dense.from))
                case .activate(_, let from, let to): mark(reached(from), where: reached(to), count: buffers[to].width)
                case .copy(let copy): mark(reached(copy.from) + copy.fromColumn, where: reached(copy.to) + copy.toColumn, count: copy.width)
                case .intervene(let site, let buffer, _):
                    guard let mask = masks[site] else { continue }
                    for i in 0..<siteWidths[site] where mask[i] != 0 { reached(buffer)[i] = 0 }
                }
            }
        }
        return Array(units[..<inputWidth])
    }

    private func reach(back dense: Dense, from outputs: UnsafePointer<UInt8>, to inputs: UnsafeMutablePointer<UInt8>) {
        for j in 0..<dense.outputs where outputs[j] != 0 {
            guard dense.edges >= 0 else { return inputs.update(repeating: 1, count: dense.inputs) }
            edges[dense.edges].isThere.withUnsafeBufferPointer { mark(inputs, where: $0.baseAddress! + j * dense.inputs, count: dense.inputs) }
        }
    }

    private func mark(_ units: UnsafeMutablePointer<UInt8>, where isReached: UnsafePointer<UInt8>, count: Int) {
        for i in 0..<count { units[i] |= isReached[i] }
    }
}
