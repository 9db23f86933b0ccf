throw new Error('broken before any test');
